package taskwait

// Status is the state of a task as the service words it. A status that is none of the six below is kept as it came:
// it is never a success and never a failure, and the wait goes on.
type Status string

// The statuses of a Huawei Cloud DMS background task, from the API reference "Querying a Background Task"
// (updated 2025-11-19, read 2026-11-23). Sources for other services map their own words onto these.
const (
	StatusCreated   Status = "CREATED"   // accepted; some tasks stay CREATED to the very end and never show EXECUTING
	StatusExecuting Status = "EXECUTING" // being worked on
	StatusSuccess   Status = "SUCCESS"   // terminal: done, and it went well
	StatusFailed    Status = "FAILED"    // terminal: done, and it did not
	StatusDeleted   Status = "DELETED"   // terminal: the task's record was removed; what came of the task cannot be known
	StatusCancelled Status = "CANCELLED" // terminal: somebody cancelled the task
)

// outcome is the error of a wait whose task ended with s; terminal is false if that is no end.
func (s Status) outcome() (err error, terminal bool) { //nolint:revive // the error is what the status means
	switch s {
	case StatusSuccess:
		return nil, true
	case StatusFailed:
		return ErrTaskFailed, true
	case StatusDeleted:
		return ErrTaskDeleted, true
	case StatusCancelled:
		return ErrTaskCancelled, true
	case StatusCreated, StatusExecuting:
	}
	return nil, false
}

// Terminal reports whether the service will not change s again: SUCCESS, FAILED, DELETED or CANCELLED.
// An unknown status is never terminal.
func (s Status) Terminal() bool {
	_, terminal := s.outcome()
	return terminal
}

// Succeeded reports whether s is SUCCESS. "Success", "success " and every other spelling are not.
func (s Status) Succeeded() bool { return s == StatusSuccess }

// known reports whether s is one of the six statuses.
func (s Status) known() bool {
	return s.Terminal() || s == StatusCreated || s == StatusExecuting
}
