package taskwait

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/taskwait/taskwait/schedule"
)

const (
	// DefaultQueryCost is a second: one query more is as bad as a second of delay more.
	DefaultQueryCost = schedule.DefaultQueryCost

	// maxDurations is how many tasks of a kind a History remembers. More would tell it nothing: their weight is gone.
	maxDurations = 256
	// maxKinds is how many kinds it remembers. Services have some dozens; names made up for each task would fill it.
	maxKinds = 256
	// halfLife is how many tasks it takes until one counts half. The service changes: twenty tasks after durations have
	// become ten times longer, or shorter, the schedule costs 1.5 times the optimum (with 30 it would be 1.5 and 1.2, but
	// 1.07 instead of 1.03 where nothing has changed). See TestChangedWorld in benchmarks.
	halfLife = 60

	historyVersion = 1
)

// History is what tasks have taken so far, by kind: by the name that the service gives them. Waits that are given it
// ([WithHistory]) learn from it when to ask, and add to it how long their own tasks took. It keeps the last 256 durations
// of each of the last 256 kinds, and forgets slowly: a duration counts half after sixty more. It goes through JSON, to be
// kept between runs. It is safe for concurrent use. The zero History knows nothing, as a new one.
type History struct {
	mu    sync.Mutex
	kinds map[string]*kind
	uses  uint64
}

// kind is what one kind of task has taken, the latest last.
type kind struct {
	durations []duration
	used      uint64 // when, in History.uses
	model     *schedule.Model
}

// duration is how long one task took; so far, if it has not been seen to end.
type duration struct {
	Took    time.Duration `json:"took"` // in nanoseconds
	Running bool          `json:"running,omitempty"`
}

// NewHistory returns a History that knows nothing.
func NewHistory() *History { return &History{} }

// Add remembers that a task of this kind ended took after it had begun, well or not. A name that is empty, and a duration
// that is negative, are ignored.
func (h *History) Add(kind string, took time.Duration) { h.add(kind, duration{Took: took}) }

// AddTasks remembers how long these tasks took by the service's own account: those with a name, both times and a terminal
// status. (Of a task that runs, UpdatedAt is no end: DMS fills it in from the start.) Give it what the service lists as
// finished, the oldest first, as kafkatasks' Recent does.
func (h *History) AddTasks(tasks ...Task) {
	for _, t := range tasks {
		if took, ok := t.took(); ok {
			h.Add(t.Name, took)
		}
	}
}

// took is how long the task took by the service's own account; ok is false if that does not say.
func (t *Task) took() (d time.Duration, ok bool) {
	if !t.Status.Terminal() || t.CreatedAt.IsZero() || t.UpdatedAt.IsZero() {
		return 0, false
	}
	d = t.UpdatedAt.Sub(t.CreatedAt)
	return d, d >= 0
}

func (h *History) add(name string, d duration) {
	if name == "" || d.Took < 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.kinds == nil {
		h.kinds = map[string]*kind{}
	}
	k := h.kinds[name]
	if k == nil {
		h.makeRoom()
		k = &kind{}
		h.kinds[name] = k
	}
	h.uses++
	k.used, k.model = h.uses, nil
	if k.durations = append(k.durations, d); len(k.durations) > maxDurations {
		k.durations = append(k.durations[:0:0], k.durations[len(k.durations)-maxDurations:]...)
	}
}

// makeRoom forgets the kind that has been left alone for longest, if there are too many.
func (h *History) makeRoom() {
	if len(h.kinds) < maxKinds {
		return
	}
	oldest, least := "", uint64(math.MaxUint64)
	for name, k := range h.kinds {
		if k.used < least {
			oldest, least = name, k.used
		}
	}
	delete(h.kinds, oldest)
}

// model is the estimate for a kind; nil: nothing is known of it. It is made anew when the kind has changed.
func (h *History) model(name string) *schedule.Model {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := h.kinds[name]
	if k == nil {
		return nil
	}
	if k.model == nil {
		samples := make([]schedule.Sample, len(k.durations))
		for i, d := range k.durations {
			age := float64(len(k.durations) - 1 - i)
			samples[i] = schedule.Sample{Age: d.Took, Running: d.Running, Weight: math.Exp2(-age / halfLife)}
		}
		k.model = schedule.Learn(samples)
	}
	return k.model
}

// savedHistory is a History in JSON.
type savedHistory struct {
	Version int                   `json:"version"`
	Kinds   map[string][]duration `json:"kinds"`
}

// MarshalJSON writes all that h knows, as version 1.
func (h *History) MarshalJSON() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := savedHistory{Version: historyVersion, Kinds: map[string][]duration{}}
	for name, k := range h.kinds {
		s.Kinds[name] = k.durations
	}
	return json.Marshal(s)
}

// UnmarshalJSON adds what was saved to what h knows already. A version that this one does not know is an error, and so is
// a duration that is negative; h is unchanged then.
func (h *History) UnmarshalJSON(text []byte) error {
	var s savedHistory
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("taskwait: history: %w", err)
	}
	if s.Version != historyVersion {
		return fmt.Errorf("taskwait: history: version %d, want %d", s.Version, historyVersion)
	}
	for name, durations := range s.Kinds {
		for _, d := range durations {
			if d.Took < 0 {
				return fmt.Errorf("taskwait: history: %q took %v, want 0 or more", clip(name), d.Took)
			}
		}
	}
	for name, durations := range s.Kinds {
		for _, d := range durations {
			h.add(name, d)
		}
	}
	return nil
}
