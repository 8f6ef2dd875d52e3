// Package sourcetest checks a taskwait.Source against some forty rules, and says the reason of each. A Source must not
// take another task for the one it was asked for. It must tell "not found", "malformed" and "refused" apart, end when
// its context does, and show no secret. If the Source is a taskwait.Lister, its lists are checked as well. Package
// testing/slogtest does the same for slog's handlers.
//
// The author of a Source writes one function. It starts the Source with a service behind it, and makes that service
// answer as a [Situation] says:
//
//	func TestSource(t *testing.T) {
//		sourcetest.Run(t, func(t *testing.T) sourcetest.Subject {
//			service := newFakeService(t)
//			return sourcetest.Subject{
//				Source:  mycloud.New(service.Client()),
//				ID:      "8abf",
//				Arrange: service.Arrange,
//				Queries: service.Queries,
//			}
//		})
//	}
//
// [Run] works in virtual time and is exact. It needs a service that answers in memory. [RunLive] is for a service on a
// network, such as an httptest.Server.
//
// Run the suite with -race: only the race detector sees most faults between goroutines.
//
// For tests of code that waits, [Script] is a Source with answers of your own.
package sourcetest

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/taskwait/taskwait"
)

// Subject is a Source under test and the service behind it.
type Subject struct {
	// Source is what is tested. It should have no retries of its own: the rules about errors count the queries.
	Source taskwait.Source

	// ID is the task that is asked for, in the form the service gives its ids. The service must know no other task,
	// except where a Situation says so.
	ID string

	// Arrange makes the service answer every query that begins from now on as s says, lists too.
	//
	// An error that Is [errors.ErrUnsupported] declares that this Source cannot meet s: there is no such status, or no
	// body that can be malformed. Its text should say why. The rules that need s are then reported as not applicable,
	// with that text. Any other error fails them, so a Situation that is new to the suite does not pass unnoticed.
	// Declare by name, not in the default case of a switch.
	Arrange func(s Situation) error

	// Queries returns how many queries about the status of the task, lists included, have reached the service so far,
	// also those that it has not answered yet. It must be safe to call while queries run. nil: queries cannot be
	// counted, and the rules that need the number are reported as not applicable.
	Queries func() int
}

// rule is one thing that taskwait asks of a Source.
type rule struct {
	name  string // of the subtest, such as "malformed/null"
	why   string // what becomes of a wait when a Source breaks the rule
	check func(*trial) error
	must  bool // cannot be declared not applicable
}

// Run checks a Source against every rule in virtual time. Each rule has a subtest, a bubble (synctest.Test), and a
// Subject of its own, which start returns. Rules that do not apply are logged.
//
// start is called inside the bubble, so the service must be reached in memory and not over a network. Calls that still
// hang when a test has ended must be released by t.Cleanup: after the report, a goroutine that never ends makes the
// bubble panic. Run cannot itself be called in a bubble. The subtests do not run in parallel.
func Run(t *testing.T, start func(t *testing.T) Subject) {
	t.Helper()
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				report(t, r.try(trial{Subject: start(t), exact: true}))
			})
		})
	}
}

// RunLive does what Run does in real time, for a service on a real network. A Source that keeps the rules passes within
// a second. On a slow machine, things that must happen at once may take seconds.
func RunLive(t *testing.T, start func(t *testing.T) Subject) {
	t.Helper()
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) { report(t, r.try(trial{Subject: start(t)})) })
	}
}

func report(t *testing.T, err error) {
	t.Helper()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		t.Log(err)
	case err != nil:
		t.Error(err)
	}
}
