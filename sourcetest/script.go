package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
)

// Answer is one answer of a [Script].
type Answer struct {
	// After is when the answer begins to hold, counted from the first poll of the id. From then on the answers before it
	// are over, given or not. 0: when the answer before it has been given Times times.
	After time.Duration

	// Task is the answer where Err is nil. An empty ID is filled in with the id that is polled.
	Task taskwait.Task

	// Err is what the Source returns in place of a Task. A plain error is transient; [taskwait.NotFound],
	// [taskwait.Throttled] and [taskwait.Permanent] say more.
	Err error

	// Times is how many polls get the answer before the next one without After. 0: one. The next one with After comes at
	// its own time; until then the answer holds. The last answer holds for ever.
	Times int
}

// Script returns a Source that gives these answers, for tests of code that waits: no service, no SDK, no network.
//
// Answers without After are given one after the other, each Times times. Answers with After form a timetable. A script
// may have both. The last answer holds for ever.
//
//	sourcetest.Script( // a task that takes 40 minutes, and a service that fails twice meanwhile
//		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusCreated}},
//		sourcetest.Answer{Err: errors.New("503 Service Unavailable"), Times: 2},
//		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting}},
//		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusSuccess}, After: 40 * time.Minute},
//	)
//
// Every id has the whole script for itself, from its own first poll. If the first answer has an After, the task is not
// found until then. A poll whose context has ended returns the context's error and uses up no answer.
//
// In real time, set a short taskwait.WithInterval. In a bubble of testing/synctest hours take milliseconds. The Source
// is safe for concurrent use.
//
// Script panics if there is no answer, if After or Times is negative, or if After is not later than an After before it.
func Script(answers ...Answer) taskwait.Source {
	if err := valid(answers); err != nil {
		panic(fmt.Sprintf("sourcetest: Script: %v", err))
	}
	return &script{answers: slices.Clone(answers), places: map[string]*place{}}
}

func valid(answers []Answer) error {
	if len(answers) == 0 {
		return errors.New("there is no answer")
	}
	var last time.Duration
	for i, a := range answers {
		switch {
		case a.After < 0 || a.Times < 0:
			return fmt.Errorf("answer %d: After %v and Times %d must not be negative", i, a.After, a.Times)
		case a.After > 0 && a.After <= last:
			return fmt.Errorf("answer %d: After %v must be later than %v, the one before it", i, a.After, last)
		}
		last = max(last, a.After)
	}
	return nil
}

type script struct {
	answers []Answer

	mu     sync.Mutex
	places map[string]*place // by id
}

// place is how far the script is for one id.
type place struct {
	began time.Time // the first poll
	at    int       // the answer that holds; -1: none yet
	given int       // how often
}

func (s *script) Task(ctx context.Context, id string) (taskwait.Task, error) {
	if err := ctx.Err(); err != nil {
		return taskwait.Task{}, err
	}
	a, ok := s.next(id)
	switch {
	case !ok:
		return taskwait.Task{}, taskwait.NotFound(errors.New("sourcetest: the first answer's After has not come"))
	case a.Err != nil:
		return taskwait.Task{}, a.Err
	}
	return own(a.Task, id), nil
}

// next returns the answer to this poll; false: none holds yet.
func (s *script) next(id string) (Answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.places[id]
	if p == nil {
		p = &place{began: time.Now(), at: -1}
		s.places[id] = p
	}
	p.move(s.answers, time.Since(p.began))
	if p.at < 0 {
		return Answer{}, false
	}
	p.given++
	return s.answers[p.at], true
}

// move goes to the answer that holds at this age.
func (p *place) move(answers []Answer, age time.Duration) {
	to := p.at
	if next := p.at + 1; next < len(answers) && p.usedUp(answers) && answers[next].After <= age {
		to = next
	}
	for i := to + 1; i < len(answers); i++ {
		if after := answers[i].After; after > 0 && after <= age {
			to = i
		}
	}
	if to != p.at {
		p.at, p.given = to, 0
	}
}

// usedUp reports whether the answer at p has been given as often as it is to be.
func (p *place) usedUp(answers []Answer) bool {
	return p.at < 0 || p.given >= max(1, answers[p.at].Times)
}

// own is task for the id that was polled, with nothing but Raw in common with other answers.
func own(task taskwait.Task, id string) taskwait.Task {
	if task.ID == "" {
		task.ID = id
	}
	if task.Percent != nil {
		percent := *task.Percent
		task.Percent = &percent
	}
	task.Steps = slices.Clone(task.Steps)
	return task
}
