package taskwait_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/sourcetest"
)

// A wait that is interrupted goes on in a later process, with the time that is left.
func ExampleWaiter_Resume() {
	source := sourcetest.Script(
		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting}},
		sourcetest.Answer{After: 50 * time.Millisecond, Task: taskwait.Task{Status: taskwait.StatusSuccess}},
	)
	waiter, err := taskwait.New(source, taskwait.WithTimeout(time.Hour),
		taskwait.WithInterval(5*time.Millisecond, time.Second))
	if err != nil {
		log.Fatal(err)
	}

	ctx, interrupt := context.WithCancel(context.Background())
	var stored []byte
	_, err = waiter.WaitForTask(ctx, "8d1b", taskwait.WithProgress(func(p taskwait.Progress) {
		if stored, err = json.Marshal(p.Wait); err != nil { // inside the callback
			log.Fatal(err)
		}
		interrupt() // as a deploy would
	}))
	fmt.Println("interrupted:", err != nil)

	wait := &taskwait.Wait{} // in the later process
	if err := json.Unmarshal(stored, wait); err != nil {
		log.Fatal(err)
	}
	fmt.Println(wait)
	task, err := waiter.Resume(context.Background(), wait)
	fmt.Println(task.Status, err)
	// Output:
	// interrupted: true
	// wait for task "8d1b": EXECUTING
	// SUCCESS <nil>
}
