package taskwait_test

import (
	"fmt"

	"github.com/taskwait/taskwait"
)

func ExampleCheckID() {
	fmt.Println(taskwait.CheckID("instance id", "../other"))
	// Output: taskwait: invalid id: instance id "../other" holds '/' at byte 2, want none of / \ ? # % { } nor white space or what does not print
}
