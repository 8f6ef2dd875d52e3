package taskwait_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/time/rate"
)

// The models play random scripts in virtual time and hold what the waits did against an oracle:
//
//	go test . -run TestModel -models 100000         many scripts
//	go test . -run TestModel/WaitForTasks -model.seed 42 -v   one script, with every call and every end
var (
	modelScripts = flag.Int("models", 100, "how many scripts each model plays")
	modelFirst   = flag.Uint64("model.first", 1, "the first of them")
	modelSeed    = flag.Uint64("model.seed", 0, "the one script to play; 0: as many as -models says")
)

// TestModel plays the scripts of each way to wait.
func TestModel(t *testing.T) {
	t.Run("WaitForTask", func(t *testing.T) { runModel(t, playWaits(false)) })
	t.Run("WaitForTasks", func(t *testing.T) { runModel(t, playWaits(true)) })
	t.Run("Do", func(t *testing.T) { runModel(t, playDo) })
	t.Run("Poll and Resume", func(t *testing.T) { runModel(t, playRelay) })
}

// play plays one script in a bubble. Before that it hands out a text of what happens; it returns the violations.
type play func(t *testing.T, seed uint64, ready func(text func(full bool) string)) []violation

// violation is a rule that did not hold.
type violation struct{ rule, what string }

// runModel plays all scripts, some at a time.
func runModel(t *testing.T, one play) {
	first, workers := *modelFirst, runtime.GOMAXPROCS(0)
	last := first + uint64(max(*modelScripts, 1)) - 1
	if *modelSeed != 0 {
		first, last, workers = *modelSeed, *modelSeed, 1
	}
	tally := modelTally{seeds: map[string][]uint64{}}
	t.Run("scripts", func(t *testing.T) {
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for seed := first + uint64(w); seed <= last; seed += uint64(workers) {
					tally.play(t, seed, one)
				}
			})
		}
	})
	for _, rule := range slices.Sorted(maps.Keys(tally.seeds)) {
		seeds := tally.seeds[rule]
		t.Logf("%s: broken in %d scripts, %v", rule, len(seeds), seeds[:min(len(seeds), 10)])
	}
}

// modelTally collects what the workers find.
type modelTally struct {
	mu    sync.Mutex
	seeds map[string][]uint64 // by the rule that was broken
}

// play plays one script. It reports the first one that breaks a rule, with its text, and counts the others.
func (m *modelTally) play(t *testing.T, seed uint64, one play) {
	text := func(bool) string { return "" }
	hung := time.AfterFunc(2*time.Minute, func() { // in real time: an engine that spins stops the virtual one
		panic(fmt.Sprintf("%s: seed %d takes longer than two minutes\n%s", t.Name(), seed, text(false)))
	})
	defer hung.Stop()
	found := one(t, seed, func(of func(bool) string) { text = of })
	replayed := *modelSeed != 0
	var fresh []string
	once := map[string]int{}
	for _, v := range found {
		isNew := m.add(v.rule, seed)
		if once[v.rule]++; (isNew || replayed || once[v.rule] > 1 && len(fresh) > 0) && once[v.rule] <= 3 {
			fresh = append(fresh, v.rule+": "+v.what)
		}
	}
	switch full := replayed && testing.Verbose(); {
	case len(fresh) > 0:
		t.Errorf("seed %d:\n  %s\n%s", seed, strings.Join(fresh, "\n  "), text(full))
	case full:
		t.Log(text(true))
	}
}

// add counts a violation, and reports whether it is the first of its kind.
func (m *modelTally) add(rule string, seed uint64) (fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seeds := m.seeds[rule]
	if !slices.Contains(seeds, seed) {
		m.seeds[rule] = append(seeds, seed)
	}
	return len(seeds) == 0
}

// bubble runs f in virtual time. A bubble that does not end is a violation.
func (m *model) bubble(t *testing.T, f func(*testing.T)) {
	defer func() {
		if v := recover(); v != nil {
			m.fail("leak", "%v", v)
		}
	}()
	synctest.Test(t, f)
}

// validID is for the ids of the scripts.
func validID(id string) bool { return strings.HasPrefix(id, "t") }

// job is a plan while it is carried out.
type job struct {
	*plan
	n     int
	model *model
	waits map[string]*waited
	over  time.Duration // when the call returned, or the loop was left; negative: not yet
	panic any           // what the call panicked with
	left  bool          // the loop was left early

	goroutine string
	inside    bool // the progress callback
	callbacks int
	yields    map[string]int
}

// waited is what is known of the wait for one id.
type waited struct {
	*job
	id     string
	ret    time.Duration // when its outcome was there; negative: not yet
	task   taskwait.Task
	err    error
	done   int // calls of the progress callback with Done
	final  error
	polls  int
	spent  time.Duration
	failed error
	timeUp time.Duration // the earliest at which its timeout, or that of the run, may have passed; never: not at all

	heard   time.Duration // when the last answer was read that the callback was told of
	erredAt time.Duration // when the present run of errors was first read; never: there is none
}

// model is a script while it is played.
type model struct {
	*script
	waiter *taskwait.Waiter
	limit  *taskwait.Limiter
	jobs   []*job
	logs   *observer.ObservedLogs

	mu    sync.Mutex
	found []violation

	abandoned, hanging, abandonedLater int // when all waits were over, and at the very end
	over                               time.Duration
}

func (m *model) fail(rule, format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.found = append(m.found, violation{rule, fmt.Sprintf(format, args...)})
}

var errModelCause = errors.New("the script ends it")

// playWaits plays scripts of WaitForTask alone, or of both ways to wait.
func playWaits(many bool) play {
	return func(t *testing.T, seed uint64, ready func(func(bool) string)) []violation {
		m := &model{script: newScript(seed, many)}
		ready(m.text)
		m.bubble(t, m.play)
		judge(m)
		return m.found
	}
}

// play carries out the plans.
func (m *model) play(t *testing.T) {
	m.service.start = time.Now()
	core, logs := observer.New(zapcore.ErrorLevel)
	m.logs = logs
	var source taskwait.Source = m.service
	if m.list {
		source = listingService{m.service}
	}
	var err error
	if m.waiter, err = taskwait.New(source, taskwait.WithLogger(zap.New(core))); err != nil {
		t.Fatal(err)
	}
	if m.rate > 0 {
		m.limit = taskwait.NewLimiter(&limiter{Limiter: rate.NewLimiter(m.rate, m.burst), moody: m.moody})
	}
	var all sync.WaitGroup
	for i, p := range m.plans {
		j := newJob(m, i, p)
		m.jobs = append(m.jobs, j)
		all.Go(j.run)
	}
	all.Wait()
	synctest.Wait()
	m.over = m.service.now()
	m.abandoned, m.hanging = abandonedCalls(m.waiter), m.service.hanging()
	time.Sleep(time.Hour) // longer than any call hangs
	synctest.Wait()
	m.abandonedLater = abandonedCalls(m.waiter)
}

// limiter is a rate limiter whose Wait fails at times, if it is moody.
type limiter struct {
	*rate.Limiter
	moody bool
	n     int // only one call at a time
}

func (l *limiter) Wait(ctx context.Context) error {
	if l.n++; l.moody && l.n%7 == 0 {
		if l.n%2 == 0 {
			return errors.New("the limiter is not in the mood")
		}
		runtime.Goexit()
	}
	return l.Limiter.Wait(ctx)
}

// hanging is how many calls are in flight.
func (s *simService) hanging() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if !c.returned() {
			n++
		}
	}
	return n
}

func newJob(m *model, n int, p *plan) *job {
	j := &job{plan: p, n: n, model: m, waits: map[string]*waited{}, over: -1, yields: map[string]int{}}
	for _, id := range p.ids {
		j.waits[id] = &waited{job: j, id: id, ret: -1, timeUp: never, erredAt: never}
	}
	return j
}

// run waits as planned.
func (j *job) run() {
	time.Sleep(j.begin)
	ctx := context.WithValue(context.Background(), jobKey{}, j)
	ctx, cancel := j.context(ctx)
	defer cancel()
	j.goroutine = goroutine()
	defer func() {
		j.panic = recover()
		j.over = j.model.service.now()
	}()
	if j.many {
		j.waitForTasks(ctx)
		return
	}
	w := j.waits[j.ids[0]]
	w.task, w.err = j.model.waiter.WaitForTask(ctx, w.id, j.options(j.model.limit, j.told)...)
	w.ret = j.model.service.now()
}

func (j *job) waitForTasks(ctx context.Context) {
	n := 0
	for task, err := range j.model.waiter.WaitForTasks(ctx, j.ids, j.options(j.model.limit, j.told)...) {
		w := j.waits[task.ID]
		if w == nil {
			j.model.fail("yield", "job %d yielded %q, which nobody waits for: %v", j.n, task.ID, err)
			return
		}
		if j.yields[task.ID]++; j.yields[task.ID] == 1 {
			w.task, w.err, w.ret = task, err, j.model.service.now()
		}
		if n++; n == j.leave {
			j.left = true
			return
		}
		if j.slow > 0 {
			time.Sleep(j.slow)
		}
	}
}

// goroutine names the goroutine that calls it.
func goroutine() string {
	var buf [64]byte
	name, _, _ := strings.Cut(string(buf[:runtime.Stack(buf[:], false)]), " [")
	return name
}

// told is the progress callback.
func (j *job) told(p taskwait.Progress) {
	m := j.model
	if j.callbacks++; j.callbacks%8 == 1 { // finding out costs more than the rest
		if g := goroutine(); g != j.goroutine {
			m.fail("progress", "job %d: a callback on %s, want %s", j.n, g, j.goroutine)
		}
	}
	if j.inside {
		m.fail("progress", "job %d: two callbacks at a time", j.n)
	}
	if j.over >= 0 {
		m.fail("progress", "job %d: a callback after the return", j.n)
	}
	j.inside = true
	defer func() { j.inside = false }()
	read := m.service.now()
	if j.slow > 0 {
		time.Sleep(j.slow)
	}
	w := j.waits[p.Task.ID]
	if !j.many {
		w = j.waits[j.ids[0]]
	}
	if w == nil || p.Task.ID == "" && j.many && !p.Done {
		return // it is about the whole
	}
	w.receive(&p, read)
}

// receive checks one call of the progress callback, for an answer that was read at a time, against those before.
func (w *waited) receive(p *taskwait.Progress, read time.Duration) {
	m := w.model
	if w.done > 0 {
		m.fail("progress", "job %d %s: a callback after Done", w.n, w.id)
	}
	if p.Polls < w.polls || p.Elapsed < w.spent {
		m.fail("progress", "job %d %s: polls %d after %d, elapsed %v after %v", w.n, w.id, p.Polls, w.polls, p.Elapsed,
			w.spent)
	}
	if id := p.Task.ID; id != "" && id != w.id {
		m.fail("progress", "job %d %s: the task is %q", w.n, w.id, id)
	}
	if all, ended := totals(p); w.many && (all != len(w.ids) || ended < 0 || ended > all) {
		m.fail("progress", "job %d %s: totals %d and %d of %d ids", w.n, w.id, all, ended, len(w.ids))
	}
	w.polls, w.spent = p.Polls, p.Elapsed
	if p.Done {
		w.done++
		w.final = p.Outcome
		return
	}
	w.hear(p, read)
}

// hear notes since when there are nothing but errors.
func (w *waited) hear(p *taskwait.Progress, read time.Duration) {
	if p.QueuedFor > 0 {
		return
	}
	w.heard = read
	var q *taskwait.QueryError
	other := errors.As(p.Err, &q) && (q.Class == taskwait.ClassThrottled || q.Class == taskwait.ClassConflict ||
		q.Class == taskwait.ClassNotFound)
	switch {
	case p.Err == nil || other:
		w.erredAt = never
	case w.erredAt == never:
		w.erredAt = read
	}
}
