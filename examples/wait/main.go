// Wait is the program at the top of README.md. operation.go makes what you have already: a client, and a running operation.
//
//	go run ./examples/wait
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

func main() {
	client, instanceID, jobID := operation() // the SDK's client, and an operation that you have started with it
	waiter, err := taskwait.New(kafkatasks.New(client, instanceID), taskwait.WithTimeout(30*time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	task, err := waiter.WaitForTask(context.Background(), jobID, taskwait.WithProgress(func(p taskwait.Progress) {
		if p.Changed {
			fmt.Println(p.Task.Status, "after", p.Elapsed.Round(time.Second))
		}
	}))
	fmt.Println(task, err)
}
