package sourcetest

import (
	"slices"

	"github.com/taskwait/taskwait"
)

// Rules returns all rules, in an order in which the first one that is broken tells the most. Those whose names begin with
// "list/" apply to a [taskwait.Lister].
func Rules() []Rule {
	rules := slices.Concat(leaks(), statuses(), identities(), malformed(), refusals(), contexts(), calls(), contents())
	return append(rules, listRules(rules)...)
}

// leaks comes first: in a bubble, a goroutine that never ends makes the runtime panic as soon as the test is over.
func leaks() []Rule {
	const why = "a wait makes hundreds of calls, and a program many waits: a goroutine for each adds up"
	return []Rule{{Name: "calls/no-goroutine-left", Why: why, check: leavesNoGoroutine((*trial).answered)}}
}

func statuses() []Rule {
	const mapped = "the wait knows the six statuses of taskwait and no others; a service's own words must be mapped onto them"
	const asItCame = "a status that nobody knows yet must reach the wait as it came: it warns once, tells Progress and " +
		"asks on; guessed, it ends a wait wrongly; as an error, it ends one after the error tolerance"
	rules := []Rule{
		gives("status/executing", Executing, taskwait.StatusExecuting, mapped),
		gives("status/success", Succeeded, taskwait.StatusSuccess, mapped),
		gives("status/created", Created, taskwait.StatusCreated, mapped),
		gives("status/failed", Failed, taskwait.StatusFailed, mapped),
		gives("status/deleted", Deleted, taskwait.StatusDeleted, mapped),
		gives("status/cancelled", Cancelled, taskwait.StatusCancelled, mapped),
		gives("status/unknown", OddStatus, UnknownStatus, asItCame),
		gives("status/empty", NoStatus, "", asItCame),
	}
	rules[0].must, rules[1].must = true, true // a Source that has none of these cannot be waited on
	return rules
}

func identities() []Rule {
	const ours = "the success of somebody else's task would end the wait for a task that still runs"
	const missing = "a task may be listed a moment after its id was handed out: only as not found is it given the grace, " +
		"and the wait ended with ErrTaskNotFound after it"
	return []Rule{
		fails("id/another", OtherTask, taskwait.ClassNotFound, ours),
		gives("id/several", SeveralTasks, taskwait.StatusExecuting, ours),
		fails("not-found/empty-list", EmptyList, taskwait.ClassNotFound, missing),
		fails("not-found/unknown-id", NoSuchTask, taskwait.ClassNotFound, missing),
	}
}

func malformed() []Rule {
	const why = "an answer that cannot be made out says nothing of the task: it is a passing fault of something in between, " +
		"not a task, not a missing task, and no reason to give up"
	var rules []Rule
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
		rules = append(rules, fails("malformed/"+m.name, m.with, taskwait.ClassTransient, why))
	}
	return rules
}

func refusals() []Rule {
	const passing = "what may be well at the next poll must not end a wait of an hour"
	const slower = "a throttle is no trouble: taken for an error it ends the wait after the error tolerance, although the " +
		"service is well"
	const hint = "without the service's own wish in RetryAfter the wait comes back early, and is throttled again"
	const forGood = "asking again cannot help; not said to be permanent, it is asked again until the error tolerance is used up"
	return []Rule{
		fails("transient/unavailable", Unavailable, taskwait.ClassTransient, passing),
		fails("transient/dropped", Dropped, taskwait.ClassTransient, passing),
		fails("throttled/class", Throttled, taskwait.ClassThrottled, slower),
		fails("throttled/class-with-retry-after", ThrottledFor, taskwait.ClassThrottled, slower),
		{Name: "throttled/retry-after", Why: hint, check: keepsRetryAfter},
		fails("permanent/unauthorized", Unauthorized, taskwait.ClassPermanent, forGood),
		fails("permanent/forbidden", Forbidden, taskwait.ClassPermanent, forGood),
	}
}

func contexts() []Rule {
	const sent = "a query that is sent after the end of the wait costs the service, and nobody hears the answer"
	const held = "a call that outlives its context is left behind: it holds a connection and a goroutine, and the next poll " +
		"of a wait whose query timed out must wait for it"
	const own = "one wait that is cancelled must not break off those of others on the same Source"
	return []Rule{
		{Name: "context/ended-before", Why: sent, check: sendsNothing},
		{Name: "context/cancelled", Why: held, check: cancelled(Hanging)},
		{Name: "context/deadline", Why: held, check: expired(Hanging)},
		{Name: "context/cancelled-in-body", Why: held, check: cancelled(Stalled)},
		{Name: "context/deadline-in-body", Why: held, check: expired(Stalled)},
		{Name: "context/of-another-call", Why: own, check: endsAlone},
		{Name: "context/no-goroutine-left", Why: held, check: leavesNoGoroutine((*trial).abandoned)},
	}
}

func calls() []Rule {
	const once = "the wait repeats a query, with backoff and within its limits; retries inside of a Source multiply with that, " +
		"and go on behind the wait's back"
	const many = "a Waiter asks its Source from many goroutines at once"
	const fresh = "an answer that is mixed with an earlier one shows a state that is past, for ever if need be"
	const alone = "a Task goes to Progress and to the caller, who keep it while the wait asks on: written to later, it is a data race"
	return []Rule{
		{Name: "calls/once-when-unavailable", Why: once, check: asksOnce(Unavailable)},
		{Name: "calls/once-when-throttled", Why: once, check: asksOnce(Throttled)},
		{Name: "calls/concurrent", Why: many, check: concurrent},
		{Name: "calls/concurrent-ids", Why: many + "; ids that get mixed up end one wait with the outcome of another", check: concurrentIDs},
		{Name: "answers/fresh", Why: fresh, check: followsOn(isSuccess)},
		{Name: "answers/fresh-after-malformed", Why: fresh, check: followsOn(isMalformed)},
		{Name: "answers/apart", Why: alone, check: apart},
	}
}

func contents() []Rule {
	const pointer = "fmt prints a struct that is held by value inside of another one, and a password with it; a pointer it does not follow"
	const secret = "task parameters can hold passwords; tasks and errors are printed and logged"
	return []Rule{
		{Name: "raw/pointer", Why: pointer, check: rawIsPointer},
		{Name: "secrets/task", Why: secret, check: taskKeepsSecret},
		{Name: "secrets/error", Why: secret, check: errorKeepsSecret},
	}
}
