package sourcetest

import "time"

// Situation is how the service behind a Source is to answer. Its text says so in words, for messages. The HTTP statuses
// below are for services that speak HTTP. If tasks have parameters, [Secret] must be in those of every task.
type Situation string

// The task is there, and is asked for by its id. The statuses are the service's own words for these.
const (
	Created   Situation = "the task created"   // 200: accepted, not begun
	Executing Situation = "the task executing" // 200. Cannot be declared as unsupported
	Succeeded Situation = "the task succeeded" // 200. Cannot be declared as unsupported
	Failed    Situation = "the task failed"    // 200
	Deleted   Situation = "the task deleted"   // 200: the record was removed, and the service says so
	Cancelled Situation = "the task cancelled" // 200
	OddStatus Situation = "an unknown status"  // 200: the status is UnknownStatus
	NoStatus  Situation = "an empty status"    // 200: the status is missing or ""
)

// The service answers, but not with the one task that was asked for.
const (
	OtherTask Situation = "another task" // 200: one row, with another id and SUCCESS
	// 200: a row with another id, of a task that has ended; then the task, executing
	SeveralTasks Situation = "several tasks"
	EmptyList    Situation = "an empty list"      // 200: the list is there, and has no row
	NoSuchTask   Situation = "an unknown task id" // 404, or however else the service says that it does not know the id
)

// The answer cannot be made out.
const (
	EmptyObject Situation = "the body {}"   // 200
	Null        Situation = "the body null" // 200
	EmptyBody   Situation = "an empty body" // 200 or 204
	HTML        Situation = "an HTML page"  // 200: what a proxy or a captive portal sends
	// 200: the first half of Executing, Secret included; then the connection ends
	CutOff   Situation = "a body cut off"
	Redirect Situation = "a redirect"           // 302 to /login, empty body
	Dropped  Situation = "a dropped connection" // it ends before there is an answer
)

// The service refuses.
const (
	Unavailable  Situation = "503 Service Unavailable"            // no Retry-After
	Throttled    Situation = "429 Too Many Requests"              // no Retry-After; or the service's own way to say so
	ThrottledFor Situation = "429 Too Many Requests, Retry-After" // Retry-After: 7, as RetryAfter says
	Unauthorized Situation = "401 Unauthorized"                   // the credentials are wrong
	Forbidden    Situation = "403 Forbidden"                      // the credentials are right, the permission is missing
)

// The service takes its time. A query is counted when it arrives, and ends when the client goes or the test ends.
const (
	Hanging Situation = "no answer"          // accepts the request and never answers
	Stalled Situation = "a body that stalls" // 200, the headers and half of Executing, and no more
)

// What a Situation refers to.
const (
	// UnknownStatus is the status in the OddStatus situation: a word that no service has.
	UnknownStatus = "SOURCETEST-NEW"

	// Secret stands for the passwords that a task's parameters can hold.
	Secret = "sourcetest-Pa55word"

	// RetryAfter is what the service asks for in the ThrottledFor situation.
	RetryAfter = 7 * time.Second
)
