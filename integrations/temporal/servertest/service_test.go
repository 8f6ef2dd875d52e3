package servertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
)

// service has tasks, each of which begins with its first poll. It stands in the process of the test, and outlives the
// workers.
type service struct {
	url string

	mu     sync.Mutex
	starts int // operations
	tasks  map[string]*task
	takes  func(id string) time.Duration // 0: for ever
	hold   map[int]chan struct{}         // by the number of the poll: answered when that is closed
}

type task struct {
	polls       []time.Time
	workers     map[string]bool // that have polled it
	ended, told time.Time       // told: when a poll has shown it
}

func newService(t *testing.T, takes func(id string) time.Duration) *service {
	t.Helper()
	s := &service{tasks: map[string]*task{}, takes: takes, hold: map[int]chan struct{}{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tasks", s.start)
	mux.HandleFunc("GET /tasks/{id}", s.poll)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *service) start(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts++
	_ = json.NewEncoder(w).Encode(taskwait.Task{ID: fmt.Sprintf("task-%d", s.starts)})
}

func (s *service) poll(w http.ResponseWriter, r *http.Request) {
	answer, hold := s.answer(r.PathValue("id"), r.Header.Get("Worker"))
	if hold != nil {
		<-hold
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *service) answer(id, worker string) (taskwait.Task, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, now := s.tasks[id], time.Now()
	if x == nil {
		x = &task{workers: map[string]bool{}}
		s.tasks[id] = x
		if d := s.takes(id); d > 0 {
			x.ended = now.Add(d)
		}
	}
	x.polls = append(x.polls, now)
	x.workers[worker] = true
	answer := taskwait.Task{ID: id, Status: taskwait.StatusExecuting, Kind: "resize"}
	if !x.ended.IsZero() && !now.Before(x.ended) {
		answer.Status = taskwait.StatusSuccess
		if x.told.IsZero() {
			x.told = now
		}
	}
	return answer, s.hold[len(x.polls)]
}

// of is what the service knows of a task by now.
func (s *service) of(id string) task {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tasks[id] == nil {
		return task{}
	}
	x := *s.tasks[id]
	x.workers = map[string]bool{}
	for w := range s.tasks[id].workers {
		x.workers[w] = true
	}
	return x
}

// untilPolled waits for the n-th poll of a task.
func (s *service) untilPolled(t *testing.T, id string, n int) {
	t.Helper()
	for len(s.of(id).polls) < n {
		select {
		case <-t.Context().Done():
			t.Fatalf("got %d polls of %s, want %d", len(s.of(id).polls), id, n)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// source polls a service from another process.
type source struct{ url, worker string }

// Task makes one request.
func (s source) Task(ctx context.Context, id string) (taskwait.Task, error) {
	var t taskwait.Task
	err := s.call(ctx, http.MethodGet, "/tasks/"+id, &t)
	return t, err
}

func (s source) call(ctx context.Context, method, path string, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Worker", s.worker)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := taskwait.CheckResponse(resp); err != nil {
		return err
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
