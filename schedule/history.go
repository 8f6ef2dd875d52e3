package schedule

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

const (
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

// History is how long tasks have taken so far, by kind. It keeps the last 256 durations of each of the last 256 kinds,
// and forgets slowly: a duration counts half after sixty more. JSON keeps it between runs. The zero History knows
// nothing and is ready for use. It is safe for concurrent use, and must not be copied.
type History struct {
	// QueryCost is what one query is worth, as a delay: a learned schedule polls once more if that is likely to save so
	// much time. More for a tight quota or a long queue of waits; less where a person watches. Queries and delay go as its
	// square root: four times the cost, half the queries and twice the delay. 0 or less: [DefaultQueryCost]. It is not
	// saved. Set it before the History is used.
	QueryCost time.Duration

	mu    sync.Mutex
	kinds map[string]*kind
	uses  uint64
}

// kind is what tasks of one kind have taken, the latest last.
type kind struct {
	durations []duration
	used      uint64 // when, in History.uses
	model     *Model // nil: not made yet, or durations have changed
}

// duration is how long one task took, or has run so far.
type duration struct {
	Took    time.Duration `json:"took"` // in nanoseconds
	Running bool          `json:"running,omitempty"`
}

// Add records that a task of this kind ended took after it had begun, whatever its outcome. An empty kind is ignored,
// and so is a duration that is not positive: 0 stands for unknown.
func (h *History) Add(kind string, took time.Duration) { h.add(kind, duration{Took: took}) }

// AddRunning records that a task of this kind had not ended at this age, and that its end will not be recorded. An
// empty kind is ignored, and so is an age that is not positive.
func (h *History) AddRunning(kind string, age time.Duration) {
	h.add(kind, duration{Took: age, Running: true})
}

func (h *History) add(name string, d duration) {
	if name == "" || d.Took <= 0 {
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
	k.durations = append(k.durations, d)
	k.durations = k.durations[max(0, len(k.durations)-maxDurations):]
}

// makeRoom forgets the kind that was added to the longest ago, if there are too many.
func (h *History) makeRoom() {
	if len(h.kinds) < maxKinds {
		return
	}
	names := slices.Collect(maps.Keys(h.kinds))
	delete(h.kinds, slices.MinFunc(names, func(a, b string) int { return cmp.Compare(h.kinds[a].used, h.kinds[b].used) }))
}

// Model returns the estimate for a kind, or nil if h knows nothing of it.
func (h *History) Model(kind string) *Model {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := h.kinds[kind]
	if k == nil {
		return nil
	}
	if k.model == nil {
		samples := make([]Sample, len(k.durations))
		for i, d := range k.durations {
			age := float64(len(k.durations) - 1 - i)
			samples[i] = Sample{Age: d.Took, Running: d.Running, Weight: math.Exp2(-age / halfLife)}
		}
		k.model = Learn(samples)
	}
	return k.model
}

// savedHistory is a History in JSON.
type savedHistory struct {
	Version int                   `json:"version"`
	Kinds   map[string][]duration `json:"kinds"`
}

// MarshalJSON writes everything that h knows, as version 1.
func (h *History) MarshalJSON() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := savedHistory{Version: historyVersion, Kinds: map[string][]duration{}}
	for name, k := range h.kinds {
		s.Kinds[name] = k.durations
	}
	return json.Marshal(s)
}

// Merge adds what other knows, as if it had been added after everything that h knows. nil adds nothing.
func (h *History) Merge(other *History) {
	if other == nil {
		return
	}
	for _, k := range other.byUse() {
		for _, d := range k.durations {
			h.add(k.name, d)
		}
	}
}

// named is a kind with its name.
type named struct {
	kind
	name string
}

// byUse returns a copy of all kinds, the one that was added to the longest ago first.
func (h *History) byUse() []named {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]named, 0, len(h.kinds))
	for name, k := range h.kinds {
		all = append(all, named{kind{durations: slices.Clone(k.durations), used: k.used}, name})
	}
	slices.SortFunc(all, func(a, b named) int { return cmp.Compare(a.used, b.used) })
	return all
}

// UnmarshalJSON replaces everything that h knows; [History.Merge] adds. An unknown version and a negative duration are
// errors, and leave h unchanged.
func (h *History) UnmarshalJSON(text []byte) error {
	var s savedHistory
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("schedule: history: %w", err)
	}
	if s.Version != historyVersion {
		return fmt.Errorf("schedule: history: version %d, want %d", s.Version, historyVersion)
	}
	for name, durations := range s.Kinds {
		for _, d := range durations {
			if d.Took < 0 {
				return fmt.Errorf("schedule: history: %.100q took %v, want 0 or more", name, d.Took)
			}
		}
	}
	h.mu.Lock()
	h.kinds = nil
	h.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.Kinds)) {
		for _, d := range s.Kinds[name] {
			h.add(name, d)
		}
	}
	return nil
}
