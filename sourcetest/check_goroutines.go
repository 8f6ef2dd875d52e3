package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// leavesNoGoroutine makes the check that the goroutines which the Source's calls have started do not grow in number
// with the calls. A few may stay: a transport keeps two for each idle connection.
//
// They are known by a profiler label, which goroutines inherit, so what the service, other tests and the runtime start
// meanwhile does not count.
func leavesNoGoroutine(ask func(*trial, context.Context) error) func(*trial) error {
	return func(t *trial) error {
		const calls = 20
		mark := newMark()
		few, err := t.begun(mark, ask, 1)
		if err != nil {
			return err
		}
		many, err := t.begun(mark, ask, calls)
		for end := time.Now().Add(time.Second); err == nil && many.n-few.n >= calls && time.Now().Before(end); {
			time.Sleep(settle)
			many, err = mark.alive()
		}
		if err != nil {
			return err
		}
		if many.n-few.n >= calls {
			return fmt.Errorf("got %d goroutines more after %d calls more, all of them over; want none. Most are here:\n%s",
				many.n-few.n, calls, many.stack)
		}
		return nil
	}
}

// begun makes n calls and counts the goroutines with this mark that are there afterwards.
func (t *trial) begun(m mark, ask func(*trial, context.Context) error, n int) (goroutines, error) {
	var err error
	pprof.Do(context.Background(), m.labels(), func(ctx context.Context) {
		for range n {
			if err = ask(t, ctx); err != nil {
				return
			}
		}
	})
	if err != nil {
		return goroutines{}, err
	}
	time.Sleep(settle)
	return m.alive()
}

// answered makes a call that is answered.
func (t *trial) answered(ctx context.Context) error {
	if err := t.arrange(Succeeded); err != nil {
		return err
	}
	_, err := t.call(ctx, t.ID).wait()
	return err
}

// abandoned makes a call that is cancelled in flight.
func (t *trial) abandoned(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := t.inFlight(ctx, Hanging)
	if err != nil {
		return err
	}
	cancel()
	_, err = c.wait()
	return err
}

// mark is the value of a profiler label that no other check uses.
type mark string

const labelKey = "sourcetest"

var marks atomic.Int64

func newMark() mark { return mark("check-" + strconv.FormatInt(marks.Add(1), 10)) }

func (m mark) labels() pprof.LabelSet { return pprof.Labels(labelKey, string(m)) }

// goroutines are those with one mark: how many, and the stack that most of them have.
type goroutines struct {
	n     int
	stack string
}

// alive counts the goroutines with the mark m. It first makes sure that it can: the profile's text is meant for people.
func (m mark) alive() (goroutines, error) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	pprof.Do(context.Background(), m.labels(), func(context.Context) {
		go func() { defer close(stopped); <-stop }()
	})
	var profile strings.Builder
	err := pprof.Lookup("goroutine").WriteTo(&profile, 1)
	close(stop)
	<-stopped
	if err != nil {
		return goroutines{}, err
	}
	all := m.in(profile.String())
	if all.n == 0 {
		return all, errors.New("cannot count goroutines: the profile does not show the one that was started to be seen")
	}
	all.n--
	return all, nil
}

// record is one of a goroutine profile's text: a count and addresses, the labels, the stack.
var record = regexp.MustCompile(`(?m)^(\d+) @.*\n# labels: (.*)\n((?:#.*\n)*)`)

// in counts the goroutines with the mark m in a profile.
func (m mark) in(profile string) (all goroutines) {
	label, most := fmt.Sprintf("%q:%q", labelKey, string(m)), 0
	for _, r := range record.FindAllStringSubmatch(profile, -1) {
		if !strings.Contains(r[2], label) {
			continue
		}
		n, _ := strconv.Atoi(r[1])
		if all.n += n; n > most {
			most, all.stack = n, r[3]
		}
	}
	return all
}
