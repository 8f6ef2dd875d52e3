package taskwait_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
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

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "wait.json")

	ctx, interrupt := context.WithCancel(context.Background())
	_, err = waiter.WaitForTask(ctx, "8d1b", taskwait.WithProgress(func(p taskwait.Progress) {
		stored, err := json.Marshal(p.Wait) // inside the callback
		if err == nil {
			err = os.WriteFile(file+".new", stored, 0o600)
		}
		if err == nil {
			err = os.Rename(file+".new", file) // whenever the process is killed, the file is whole
		}
		if err != nil {
			log.Fatal(err)
		}
		interrupt() // as a deploy would
	}))
	fmt.Println("interrupted:", err != nil)

	stored, err := os.ReadFile(file) // in the later process
	if err != nil {
		log.Fatal(err)
	}
	wait := &taskwait.Wait{}
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
