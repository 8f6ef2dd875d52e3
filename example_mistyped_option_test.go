package taskwait_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/taskwait/taskwait"
)

// An impossible [taskwait.Option] is an error that names it.
func ExampleNew() {
	_, err := taskwait.New(statuses(taskwait.StatusSuccess), taskwait.WithTimeout(-time.Minute))
	fmt.Println(err)
	fmt.Println(errors.Is(err, taskwait.ErrInvalidOption))
	// Output:
	// taskwait: invalid option: WithTimeout -1m0s, want at least 0s
	// true
}
