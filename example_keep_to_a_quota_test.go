package taskwait_test

import (
	"context"
	"fmt"

	"github.com/taskwait/taskwait"
	"golang.org/x/time/rate"
)

// Five requests a second for all Waiters that share the [taskwait.Limiter]. A little less than the service allows
// leaves room for what the network makes irregular.
func ExampleNewLimiter() {
	limited := taskwait.WithLimiter(taskwait.NewLimiter(rate.NewLimiter(5, 1)))
	source := ends(map[string]taskwait.Status{"a1": "SUCCESS", "b2": "SUCCESS"})
	staging, _ := taskwait.New(source, limited)
	production, _ := taskwait.New(source, limited)
	fmt.Println(staging.WaitForTask(context.Background(), "a1"))
	fmt.Println(production.WaitForTask(context.Background(), "b2"))
	// Output:
	// task "a1": SUCCESS <nil>
	// task "b2": SUCCESS <nil>
}

// A request of your own takes its permit from the same queue.
func ExampleLimiter_Wait() {
	limiter := taskwait.NewLimiter(rate.NewLimiter(5, 1))
	if err := limiter.Wait(context.Background()); err != nil {
		fmt.Println("no permit:", err)
		return
	}
	fmt.Println("now send it")
	// Output: now send it
}
