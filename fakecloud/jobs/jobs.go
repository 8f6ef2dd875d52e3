// Package jobs is an embedded Huawei Cloud that runs the jobs of many services, for tests and demonstrations. It speaks
// the real HTTP API to the real SDK, in this process and without an account. It verifies signatures, runs jobs by a
// script, and injects faults ([fakecloud.Gateway]).
//
//	cloud := jobs.New()
//	id := cloud.AddJob(jobs.V1, jobs.Script{Name: "createServer", Duration: 4 * time.Minute})
//	cfg := config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())
//
// The answer of a service has one of a few shapes, see [Shape]. Scripts have taskwait's statuses, and answers have the
// words of the shape.
//
// Shapes and words are those of the SDK's model types (v0.1.207). Where neither these nor a published page says
// anything, as on the answer for a job that a service does not know, the package guesses, and a comment says so.
package jobs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/internal/ids"
)

// Cloud is one account with one project, and the jobs in it. Make it with [New]. It is safe for concurrent use.
type Cloud struct {
	*fakecloud.Gateway

	unknown *unknown // what to say of an unknown job; nil: what the shape has
	speed   float64

	mu    sync.Mutex
	jobs  map[Shape][]*job // in the order of their start
	added int
}

// New returns a cloud without jobs, with the default credentials and project, no latency and no faults. Options are
// those of this package and of the gateway.
func New(opts ...fakecloud.Option) *Cloud {
	c := &Cloud{jobs: map[Shape][]*job{}, speed: 1}
	c.Gateway = fakecloud.New(service{c}, opts...)
	return c
}

// Beside adds jobs to the gateway of another service, such as that of fakecloud/kafka, before its first request. The
// other service answers requests for paths that both have: with Kafka, those of [DMS] and [Resource].
func Beside(g *fakecloud.Gateway, opts ...fakecloud.Option) *Cloud {
	c := &Cloud{jobs: map[Shape][]*job{}, speed: 1}
	c.Gateway = g
	g.Add(service{c})
	for _, opt := range opts {
		opt(g)
	}
	return c
}

// option makes a gateway's option of one of this package.
func option(set func(*Cloud)) fakecloud.Option {
	return fakecloud.ServiceOption(func(s service) { set(s.cloud) })
}

// WithUnknownJob sets the error that every shape answers with for a job that does not exist; see [fakecloud.Error].
// Default: 404 with a code of the shape. For few of the real services this is documented.
func WithUnknownJob(status int, code, message string) fakecloud.Option {
	fakecloud.CheckStatus("WithUnknownJob", status)
	return option(func(c *Cloud) { c.unknown = &unknown{status, code, message} })
}

// WithSpeed makes jobs faster by this factor, with their defaults. It does not change the clock, the times in an
// answer, or the pauses of a client. Default 1. A factor that is not positive panics.
func WithSpeed(factor float64) fakecloud.Option {
	if !(factor > 0) { // refuses NaN too
		panic(fmt.Sprintf("fakecloud: WithSpeed: %v, want a positive number", factor))
	}
	return option(func(c *Cloud) { c.speed = factor })
}

// Script is the life of a job. The zero Script is CREATED, then EXECUTING after 300 ms, and SUCCESS after 3 s. An
// invalid script (an id twice, a negative duration, steps out of order) panics when a job is made of it.
type Script struct {
	ID       string // one that can be a job's id, new in its shape; default: 32 hex digits
	Name     string // the kind of job; default one that the shape's service has
	Instance string // [DMS] alone: what the job is about; default "instance-1"
	Params   string // [DMS] alone: JSON in a string, as the service has it; default "{}"

	CreatedAt time.Time       // when it was started, by our clock, also in the past; default: now
	Duration  time.Duration   // from CREATED to Outcome, EXECUTING after a tenth of it or a second; default 3 s
	Outcome   taskwait.Status // default SUCCESS; EXECUTING or a word of the service make a job that may never end
	Steps     []Step          // the statuses one by one, in the order of After, instead of Duration and Outcome

	ListedAfter time.Duration // for so long the service does not know the job yet, counted from CreatedAt

	Code, Reason string   // of its failure, where the shape has a place for it; shown once it has failed
	Jobs         []Script // its steps, where the shape has a place for them; they start when the job does
}

// Step is a status that a job has from a time on. taskwait's own statuses are written in the shape's words
// ([Shape.Word]), any other as it is. If the shape has no word for DELETED, the service no longer knows the job.
type Step struct {
	After  time.Duration // since the job was started; the first step holds before its time too
	Status taskwait.Status
}

// AddJob starts a job and returns its id.
func (c *Cloud) AddJob(shape Shape, s Script) string {
	f, ok := forms[shape]
	if !ok {
		panic(fmt.Sprintf("fakecloud: no shape %q, want one of %q", shape, Shapes()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.job(f, s, time.Now())
	problem := j.problem()
	if c.find(shape, j.ID) != nil {
		problem = "there is one with this id already"
	}
	if problem != "" {
		panic("fakecloud: script of job " + strconv.Quote(j.ID) + ": " + problem) // a slip in a test
	}
	all := c.jobs[shape]
	n := len(all)
	for n > 0 && j.CreatedAt.Before(all[n-1].CreatedAt) { // few are: most jobs are added as they start
		n--
	}
	c.jobs[shape] = slices.Insert(all, n, j)
	return j.ID
}

func (c *Cloud) find(shape Shape, id string) *job {
	for _, j := range c.jobs[shape] {
		if j.ID == id {
			return j
		}
	}
	return nil
}

// job is a Script on its way, with its defaults filled in.
type job struct {
	Script
	form *form
	jobs []*job
}

// defaultDuration is what a binding of an address takes with DMS (API page's example, 2.994 s).
const defaultDuration = 3 * time.Second

// job makes one that starts at this time, unless the script says otherwise.
func (c *Cloud) job(f *form, s Script, start time.Time) *job {
	c.added++
	s.ID, s.Name = cmp.Or(s.ID, fakecloud.HexID("job", c.added)), cmp.Or(s.Name, f.name)
	s.Instance, s.Params = cmp.Or(s.Instance, "instance-1"), cmp.Or(s.Params, "{}")
	s.Duration, s.Outcome = cmp.Or(s.Duration, defaultDuration), cmp.Or(s.Outcome, taskwait.StatusSuccess)
	if s.Steps = slices.Clone(s.Steps); len(s.Steps) == 0 {
		s.Steps = []Step{{0, taskwait.StatusCreated}, {min(s.Duration/10, time.Second), taskwait.StatusExecuting},
			{s.Duration, s.Outcome}}
	}
	for n := range s.Steps {
		s.Steps[n].After = c.faster(s.Steps[n].After)
	}
	s.ListedAfter = c.faster(s.ListedAfter)
	if s.CreatedAt.IsZero() {
		s.CreatedAt = start
	}
	j := &job{Script: s, form: f}
	for _, sub := range s.Jobs {
		j.jobs = append(j.jobs, c.job(f, sub, s.CreatedAt))
	}
	return j
}

func (c *Cloud) faster(d time.Duration) time.Duration { return time.Duration(float64(d) / c.speed) }

// problem is what is wrong with a script; "": nothing.
func (j *job) problem() string {
	switch wrong := ids.Check(j.ID); {
	case wrong != "":
		return "the id " + wrong
	case j.Duration < 0 || j.ListedAfter < 0:
		return "a duration is negative"
	case !slices.IsSortedFunc(j.Steps, func(a, b Step) int { return cmp.Compare(a.After, b.After) }):
		return "the steps are not in the order of After"
	}
	for _, sub := range j.jobs {
		if problem := sub.problem(); problem != "" {
			return problem
		}
	}
	return ""
}

// step is the one that the job has reached.
func (j *job) step(now time.Time) Step {
	at := j.Steps[0]
	for _, s := range j.Steps[1:] {
		if now.Sub(j.CreatedAt) < s.After {
			break
		}
		at = s
	}
	return at
}

// known reports whether the service knows the job.
func (j *job) known(now time.Time) bool {
	gone := j.step(now).Status == taskwait.StatusDeleted && j.form.words[taskwait.StatusDeleted] == ""
	return now.Sub(j.CreatedAt) >= j.ListedAfter && !gone
}

// percent is how much of the time until the last step has passed.
func (j *job) percent(now time.Time) int {
	whole := j.Steps[len(j.Steps)-1].After
	if whole <= 0 {
		return 0
	}
	return int(min(99, max(0, 100*now.Sub(j.CreatedAt)/whole)))
}
