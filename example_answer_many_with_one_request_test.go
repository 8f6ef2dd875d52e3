package taskwait_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/taskwait/taskwait"
)

// pair is a Source whose service takes two ids at once.
type pair struct{ taskwait.Source }

func (p pair) List(ctx context.Context, b taskwait.ListRequest) (tasks []taskwait.Task, next string, err error) {
	from, _ := strconv.Atoi(b.Page)
	to := min(from+2, len(b.IDs))
	for _, id := range b.IDs[from:to] { // one request, in earnest
		task, err := p.Task(ctx, id)
		if err != nil {
			return nil, "", err
		}
		tasks = append(tasks, task)
	}
	if to < len(b.IDs) {
		next = strconv.Itoa(to)
	}
	return tasks, next, nil
}

// A [taskwait.Lister] answers for many tasks with one request.
func ExampleLister() {
	source := pair{ends(map[string]taskwait.Status{"a1": "SUCCESS", "b2": "SUCCESS", "c3": "SUCCESS"})}
	waiter, _ := taskwait.New(source, often)
	_, err := waiter.WaitForAll(context.Background(), []string{"a1", "b2", "c3"})
	fmt.Println(err)
	// Output: <nil>
}
