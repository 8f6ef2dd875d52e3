package taskwait_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/sourcetest"
)

// An engine or a controller makes one poll, stores the wait, and comes back after Next.
func ExampleWaiter_Poll() {
	source := sourcetest.Script(
		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting}},
		sourcetest.Answer{After: 20 * time.Millisecond, Task: taskwait.Task{Status: taskwait.StatusSuccess}},
	)
	waiter, err := taskwait.New(source, taskwait.WithInterval(5*time.Millisecond, time.Second))
	if err != nil {
		log.Fatal(err)
	}
	wait := &taskwait.Wait{ID: "8d1b"}
	for {
		p, err := waiter.Poll(context.Background(), wait)
		if err != nil {
			log.Fatal(err) // p.Done: it is over, and this is why; else ctx has ended
		}
		if p.Done {
			fmt.Println(wait.Task())
			return
		}
		time.Sleep(p.Next) // or requeue, snooze, …, with the wait stored as JSON
	}
	// Output:
	// task "8d1b": SUCCESS
}
