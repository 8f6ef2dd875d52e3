package taskwait

import "time"

// Attempt is what existed before an operation was sent. It is plain data.
type Attempt struct {
	Key  string    // made by Do, once for each operation, and kept in its Wait: for services that take an idempotency key
	At   time.Time // when Seen was read, by the service's clock if it has said so; zero from Before: filled in by ours
	Seen []string  // the ids of the tasks, or whatever else Find lists, that were there
}

// started is what a [Wait] remembers of its Operation.
type started struct {
	name       string
	attempt    Attempt   // what was there before it was sent; Seen is nil once the id of its task is known for certain
	sentAt     time.Time // when it was sent, or was about to be; zero: it was not, or it was refused
	acceptedAt time.Time // zero: it was not accepted, as far as is known
	found      bool      // the id is that of a task that Find has found, and it was not made sure that it is the right one
}

// unclear reports whether the operation was perhaps sent, and no answer is known.
func (b *started) unclear() bool { return !b.sentAt.IsZero() && b.acceptedAt.IsZero() }
