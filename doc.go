// Package taskwait waits for an asynchronous cloud task to finish, whatever the network, the service and the clock do
// meanwhile. Begin with [Waiter.WaitForTask]. It polls a [Source], such as that of package huawei/kafkatasks for the
// background tasks of Huawei Cloud DMS for Kafka:
//
//	waiter, err := taskwait.New(kafkatasks.New(client, instanceID), taskwait.WithTimeout(30*time.Minute))
//	task, err := waiter.WaitForTask(ctx, jobID)
//
// # Waiting
//
// A wait polls the Source until the service reports a terminal [Status]. It survives network errors, throttles,
// malformed answers, ids that are not listed yet and unknown statuses. It runs on the calling goroutine, returns at
// once when the context ends, and makes a final poll when [WithTimeout] has passed. [WithProgress] shows one wait at
// work, [Waiter.Waits] shows all of them, and [WithObserver] is for traces and metrics.
//
// # Errors
//
// A wait ends in one of four ways:
//
//	the service reported SUCCESS                     nil
//	the task failed, was deleted or was cancelled    ErrTaskFailed, ErrTaskDeleted, ErrTaskCancelled
//	the wait was ended                               the context's error, ErrTimeout, ErrStalled, ErrBackOffStopped
//	the wait could not find out                      ErrTaskNotFound, ErrQuery
//
// Every error but that of [New] is a [*WaitError]; [Waiter.WaitForAll] joins those of many. In the last two cases the
// task may still run, and [WaitError.StillRunning] is true: do not destroy anything then. ErrTimeout Is
// context.DeadlineExceeded too, so test for ErrTimeout first.
//
// # Options
//
// Options are given to [New], for all waits of the Waiter, or to one call. They are independent of one another and of
// their order; of two with the same name the later wins. Each holds for WaitForTask, WaitForTasks, WaitForAll, Do,
// Resume and Poll.
//
//	option               what it sets                                         default     0, nil or "" means
//	WithTimeout          bound of the whole wait                              no limit    no limit
//	WithRunTimeout       bound from the first answer that is not CREATED      no limit    no limit
//	WithStallTimeout     how long a task may show no change                   no limit    no limit
//	WithQueryTimeout     bound of one query                                   30 s        invalid: at least 1 ms
//	WithErrorTolerance   how long only errors may come                        5 min       give up at the third error
//	WithNotFoundGrace    how long the service may not know the id             1 min       give up at the second answer
//	WithConfirmations    how many SUCCESS in a row end the wait               1           1
//	WithStalePhase       the phase that does not count until it was left      none        none: every phase counts
//	WithInitialDelay     pause before the first poll                          none        none: polled at once
//	WithInterval         first and longest pause of the exponential schedule  4 s, 30 s   invalid: at least 1 ms
//	WithBackOff          your own schedule, in place of every other           none        none
//	WithHistory          durations to learn pauses from, and to add to        none        none
//	WithKind             the kind of the task, before the service reports it  unknown     unknown
//	WithLimiter          a quota and hold-offs, shared with other Waiters     none        none
//	WithoutSharing       keeps concurrent waits apart                         shared      -
//	WithProgress         the callback                                         none        none
//	WithObserver         a hook for traces and metrics                        none        none
//	WithLogger           the log                                              none        none
//
// # Pacing
//
// The pauses between polls come from the BackOff of [WithBackOff], if one is given; else from the History of
// [WithHistory], as soon as that knows the kind of the task; else from the exponential schedule within the bounds of
// [WithInterval]. A Retry-After of the service and the timeout come before all of them. A [Limiter] keeps any number of
// Waiters to one quota.
//
// # Many tasks
//
// [Waiter.WaitForTasks] yields each result when it comes, [Waiter.WaitForAll] returns all of them in order. With a
// Source that is a [Lister], many tasks share the answers of a list, and so do concurrent calls of WaitForTask on one
// Waiter.
//
// # Operations
//
// [Waiter.Do] starts an [Operation] and waits for its task, even if the service gives no id. It never sends the
// operation twice on an unclear answer.
//
// # Outliving the process
//
// A [Wait] is a wait as a value, for JSON. [Progress] and [WaitError] have it. [Waiter.Resume] goes on with it in a
// later process, with the time that is left. [Waiter.Poll] makes a single poll of it, for engines and controllers that
// hold no goroutine for each wait.
//
// # Writing a Source
//
// A [Source] is one method; [SourceFunc] makes one of a function. It makes one query, does not retry, and returns a
// Task or an error. A [*QueryError] says more than a plain error: [NotFound], [Permanent] and [Throttled] make one, and
// [CheckResponse] makes one of an http.Response. Package sourcetest checks a Source.
//
// A Source may have more methods. New finds them by their types, so declare in the Source's package which it has:
//
//	var _ taskwait.Lister = (*Source)(nil)                    // answers many ids with one request
//	var _ taskwait.Detailer = (*Source)(nil)                  // reports how far a task is
//	var _ interface{ Validate() error } = (*Source)(nil)      // New returns its error
//	var _ interface{ CheckID(string) error } = (*Source)(nil) // in place of the default check of an id
//
// A type that embeds a Source as an interface hides these methods.
package taskwait
