// Taskwait waits for asynchronous cloud tasks, at a shell:
//
//	taskwait demo
//	taskwait kafka wait --instance INSTANCE_ID TASK_ID
//
// Its exit code tells what became of the tasks: docs/cli.md.
package main

import (
	"os"

	"github.com/taskwait/taskwait/internal/cli"
)

func main() { os.Exit(cli.Main()) }
