// Package guard calls code that nobody here wrote: a Source, a Detailer, a quota. Such a call may panic, end its
// goroutine with runtime.Goexit, take too long, or never return. Its caller must survive all of these.
package guard

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrGoexit is the error of a call that ended its goroutine with runtime.Goexit.
var ErrGoexit = errors.New("the Source ended its goroutine with runtime.Goexit")

// PanicError is the panic of a call as an error, to be raised again on the goroutine of its caller.
type PanicError struct {
	Value any
	Stack []byte
}

// Error gives the panic's value and the stack of the call.
func (p *PanicError) Error() string {
	return fmt.Sprintf("taskwait: panic in a Source: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap gives the panic's value if it is an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Run calls f, then done: with nil if f has returned, with a *PanicError if it panicked, and with ErrGoexit if it ended
// the goroutine. In that last case done runs on the dying goroutine, and Run does not return.
func Run(f func(), done func(error)) {
	err := ErrGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		done(err)
	}()
	f()
	err = nil
}
