package sourcetest

import (
	"slices"

	"github.com/taskwait/taskwait"
)

// rules returns all rules, in an order in which the first one that is broken says the most. Those whose names begin
// with "list/" apply to a [taskwait.Lister].
func rules() []rule {
	all := slices.Concat(leaks(), statuses(), identities(), malformed(), refusals(), contexts(), calls(), contents())
	return append(all, listRules(all)...)
}

// leaks comes first: in a bubble, a goroutine that never ends makes the runtime panic as soon as the test is over.
func leaks() []rule {
	const why = "a wait makes hundreds of calls, and a program many waits: a goroutine for each adds up"
	return []rule{{name: "calls/no-goroutine-left", why: why, check: leavesNoGoroutine((*trial).answered)}}
}

func statuses() []rule {
	const mapped = "the wait knows the six statuses of taskwait and no others; a service's own words must be mapped " +
		"onto them"
	const asItCame = "a status that nobody knows yet must reach the wait as it came: it warns once, tells Progress and " +
		"asks on; guessed, it ends a wait wrongly; as an error, it ends one after the error tolerance"
	all := []rule{
		gives("status/executing", Executing, taskwait.StatusExecuting, mapped),
		gives("status/success", Succeeded, taskwait.StatusSuccess, mapped),
		gives("status/created", Created, taskwait.StatusCreated, mapped),
		gives("status/failed", Failed, taskwait.StatusFailed, mapped),
		gives("status/deleted", Deleted, taskwait.StatusDeleted, mapped),
		gives("status/cancelled", Cancelled, taskwait.StatusCancelled, mapped),
		gives("status/unknown", OddStatus, UnknownStatus, asItCame),
		gives("status/empty", NoStatus, "", asItCame),
	}
	all[0].must, all[1].must = true, true // a Source that has none of these cannot be waited on
	return all
}

func identities() []rule {
	const ours = "the success of somebody else's task would end the wait for a task that still runs"
	const missing = "a task may be listed a moment after its id was handed out: only as not found is it given the " +
		"grace, and the wait ended with ErrTaskNotFound after it"
	return []rule{
		fails("id/another", OtherTask, taskwait.ClassNotFound, ours),
		gives("id/several", SeveralTasks, taskwait.StatusExecuting, ours),
		fails("not-found/empty-list", EmptyList, taskwait.ClassNotFound, missing),
		fails("not-found/unknown-id", NoSuchTask, taskwait.ClassNotFound, missing),
	}
}

func malformed() []rule {
	const why = "an answer that cannot be made out says nothing of the task: it is a passing fault of something in " +
		"between, not a task, not a missing task, and no reason to give up"
	var all []rule
	for _, m := range []struct {
		name string
		with Situation
	}{
		{"empty-object", EmptyObject},
		{"null", Null},
		{"empty-body", EmptyBody},
		{"html", HTML},
		{"cut-off", CutOff},
		{"redirect", Redirect},
	} {
		all = append(all, fails("malformed/"+m.name, m.with, taskwait.ClassTransient, why))
	}
	return all
}

func refusals() []rule {
	const passing = "what may be well at the next poll must not end a wait of an hour"
	const slower = "a throttle is no trouble: taken for an error it ends the wait after the error tolerance, although " +
		"the service is well"
	const hint = "without the service's own wish in RetryAfter the wait comes back early, and is throttled again"
	const forGood = "asking again cannot help; not said to be permanent, it is asked again until the error tolerance is " +
		"used up"
	return []rule{
		fails("transient/unavailable", Unavailable, taskwait.ClassTransient, passing),
		fails("transient/dropped", Dropped, taskwait.ClassTransient, passing),
		fails("throttled/class", Throttled, taskwait.ClassThrottled, slower),
		fails("throttled/class-with-retry-after", ThrottledFor, taskwait.ClassThrottled, slower),
		{name: "throttled/retry-after", why: hint, check: keepsRetryAfter},
		fails("permanent/unauthorized", Unauthorized, taskwait.ClassPermanent, forGood),
		fails("permanent/forbidden", Forbidden, taskwait.ClassPermanent, forGood),
	}
}

func contexts() []rule {
	const sent = "a query that is sent after the end of the wait costs the service, and nobody hears the answer"
	const held = "a call that outlives its context is abandoned: it holds a connection and a goroutine, and the next " +
		"poll of a wait whose query timed out must wait for it"
	const own = "one wait that is cancelled must not break off those of others on the same Source"
	return []rule{
		{name: "context/ended-before", why: sent, check: sendsNothing},
		{name: "context/cancelled", why: held, check: cancelled(Hanging)},
		{name: "context/deadline", why: held, check: expired(Hanging)},
		{name: "context/cancelled-in-body", why: held, check: cancelled(Stalled)},
		{name: "context/deadline-in-body", why: held, check: expired(Stalled)},
		{name: "context/of-another-call", why: own, check: endsAlone},
		{name: "context/no-goroutine-left", why: held, check: leavesNoGoroutine((*trial).abandoned)},
	}
}

func calls() []rule {
	const once = "the wait repeats a query, with backoff and within its limits; retries inside of a Source multiply " +
		"with that, and go on behind the wait's back"
	const many = "a Waiter asks its Source from many goroutines at once"
	const fresh = "an answer that is mixed with an earlier one shows a state that is past, for ever if need be"
	const alone = "a Task goes to Progress and to the caller, who keep it while the wait asks on: written to later, it " +
		"is a data race"
	return []rule{
		{name: "calls/once-when-unavailable", why: once, check: asksOnce(Unavailable)},
		{name: "calls/once-when-throttled", why: once, check: asksOnce(Throttled)},
		{name: "calls/concurrent", why: many, check: concurrent},
		{
			name: "calls/concurrent-ids", why: many + "; ids that get mixed up end one wait with the outcome of another",
			check: concurrentIDs,
		},
		{name: "answers/fresh", why: fresh, check: followsOn(isSuccess)},
		{name: "answers/fresh-after-malformed", why: fresh, check: followsOn(isMalformed)},
		{name: "answers/apart", why: alone, check: apart},
	}
}

func contents() []rule {
	const pointer = "fmt prints a struct that is held by value inside of another one, and a password with it; a pointer " +
		"it does not follow"
	const secret = "task parameters can hold passwords; tasks and errors are printed and logged"
	return []rule{
		{name: "raw/pointer", why: pointer, check: rawIsPointer},
		{name: "secrets/task", why: secret, check: taskKeepsSecret},
		{name: "secrets/error", why: secret, check: errorKeepsSecret},
	}
}
