package kafka

import (
	"maps"
	"slices"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
)

// Operation is a request that has changed something. It was carried out, whether or not its answer arrived.
type Operation struct {
	Time       time.Time // when it was carried out, by our clock
	Route      fakecloud.Route
	InstanceID string
	TaskID     string // the task that it has started, or whose record it has changed or deleted; "": none
}

// InstanceState is the state of an instance.
type InstanceState struct {
	ID        string
	Name      string
	Status    string
	PublicIP  bool
	Configs   map[string]string // that were set, by name
	Brokers   int
	Storage   int // GB
	Product   string
	CreatedAt time.Time // by our clock
}

// TaskState is the state of a task.
type TaskState struct {
	ID        string
	Name      string
	Status    taskwait.Status
	CreatedAt time.Time // by our clock
}

// Operations returns the operations that were carried out so far, in order. Requests that were refused, or lost before
// they were served, are not among them. A batch has one Operation for each instance. Events without a request, such as
// the start of a scheduled task, have none.
func (c *Cloud) Operations() []Operation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.operations)
}

// Instance returns the present state of an instance, and whether it exists.
func (c *Cloud) Instance(id string) (InstanceState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, now := c.instances[id], time.Now()
	if i == nil || i.status(now) == deleted {
		return InstanceState{}, false
	}
	c.advance(i, now)
	return InstanceState{
		ID: i.id, Name: i.spec.Name, Status: i.status(now), PublicIP: i.spec.PublicIP, Configs: maps.Clone(i.configs),
		Brokers: i.spec.Brokers, Storage: i.spec.Storage, Product: i.spec.Product, CreatedAt: i.createdAt,
	}, true
}

// Tasks returns the tasks of an instance, also of a deleted one, in the order of their start. Tasks that are not listed
// yet are among them; those whose record was deleted are not.
func (c *Cloud) Tasks(instanceID string) []TaskState {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, now := c.instances[instanceID], time.Now()
	if i == nil {
		return nil
	}
	c.advance(i, now)
	var all []TaskState
	for _, t := range i.tasks {
		all = append(all, TaskState{ID: t.ID, Name: t.Name, Status: t.step(now).Status, CreatedAt: t.CreatedAt})
	}
	return all
}

// record notes what was carried out.
func (c *Cloud) record(e *exchange, i *instance, taskID string) {
	c.operations = append(c.operations, Operation{Time: e.Now, Route: e.Route, InstanceID: i.id, TaskID: taskID})
}

// advance brings an instance up to date: scheduled tasks start, and tasks that have ended well have their effect.
func (c *Cloud) advance(i *instance, now time.Time) {
	if i == nil {
		return
	}
	c.launch(i, now)
	var ended []*task
	i.pending = slices.DeleteFunc(i.pending, func(t *task) bool {
		over := !t.runs(now) && !now.Before(t.CreatedAt)
		if over {
			ended = append(ended, t)
		}
		return over
	})
	slices.SortStableFunc(ended, func(a, b *task) int { return a.endsAt().Compare(b.endsAt()) })
	for _, t := range ended {
		if _, status := t.end(); status == taskwait.StatusSuccess {
			t.effect(i)
		}
	}
}
