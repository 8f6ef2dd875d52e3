package fakecloud

import (
	"net/http"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
)

// Fault is something that goes wrong with one request, or with all of them for a while ([Fault.For], [Fault.Times]).
// The zero Fault is none.
type Fault struct {
	apply  func(*exchange)
	period time.Duration
	until  time.Time
}

// Inject queues faults for a route: each request takes the first one, whoever makes it. Requests without a fault are
// served as usual.
func (c *Cloud) Inject(r Route, faults ...Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range faults {
		if f.apply == nil {
			f = Serve()
		}
		c.faults[r] = append(c.faults[r], f)
	}
}

// Clear forgets the faults that are still queued, for all routes.
func (c *Cloud) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.faults)
}

// For makes the fault befall every request for so long, counted from the first of them.
func (f Fault) For(d time.Duration) Fault {
	f.period = d
	return f
}

// Times gives the fault n times, to be passed to Inject.
func (f Fault) Times(n int) []Fault {
	all := make([]Fault, n)
	for i := range all {
		all[i] = f
	}
	return all
}

func (c *Cloud) nextFault(r Route) (Fault, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range []Route{r, AnyRoute} {
		for len(c.faults[r]) > 0 {
			f := &c.faults[r][0]
			if f.period == 0 {
				taken := *f
				c.faults[r] = c.faults[r][1:]
				return taken, true
			}
			if f.until.IsZero() {
				f.until = time.Now().Add(f.period)
			}
			if time.Now().Before(f.until) {
				return *f, true
			}
			c.faults[r] = c.faults[r][1:]
		}
	}
	return Fault{}, false
}

// Serve is no fault: the request is served as usual. It takes a place in the queue.
func Serve() Fault { return Fault{apply: (*exchange).proceed} }

// Respond answers with a status, a body and headers, given as pairs of name and value. Nothing else happens.
func Respond(status int, body string, headers ...string) Fault {
	return Fault{apply: func(e *exchange) {
		e.status, e.body = status, []byte(body)
		for i := 0; i+1 < len(headers); i += 2 {
			e.header.Set(headers[i], headers[i+1])
		}
	}}
}

// Error answers with an error in the service's shape.
func Error(status int, code, message string) Fault {
	return Fault{apply: func(e *exchange) { e.fail(status, code, message) }}
}

// Unavailable answers 503 as the gateway does when the service behind it is down, without a Retry-After.
func Unavailable() Fault { return Error(503, "APIGW.0201", "Backend unavailable.") }

// Throttle answers 429 as the gateway does. The window is one minute if retryAfter is 0 and the message names it, as
// the real one does; otherwise there is a Retry-After, in whole seconds.
func Throttle(retryAfter time.Duration) Fault {
	return Fault{apply: func(e *exchange) {
		message := "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute"
		if retryAfter > 0 {
			message = "The throttling threshold has been reached."
			e.header.Set("Retry-After", strconv.Itoa(int((retryAfter+time.Second-1)/time.Second)))
		}
		e.fail(429, "APIGW.0308", message)
	}}
}

// ThrottleAs404 answers as the old DMS does when it is asked too often: with a 404.
func ThrottleAs404() Fault {
	return Error(404, "DMS.10240407", "The request is too frequent. Flow control is being performed.")
}

// HTML answers with a page, as a proxy in between may.
func HTML(status int) Fault {
	return Respond(status, "<html><head><title>Oops</title></head><body><h1>Something went wrong</h1></body></html>", "Content-Type", "text/html")
}

// Hang never answers: the request ends when the client goes away.
func Hang() Fault {
	return Fault{apply: func(e *exchange) {
		<-e.ctx.Done()
		e.gone = true
	}}
}

// Slow serves the request after a delay.
func Slow(d time.Duration) Fault {
	return Fault{apply: func(e *exchange) {
		e.sleep(d)
		e.proceed()
	}}
}

// Drop closes the connection without an answer. The request is not served.
func Drop() Fault { return Fault{apply: func(e *exchange) { e.end = dropped }} }

// DropAfter serves the request, and closes the connection without an answer.
func DropAfter() Fault { return served(func(e *exchange) { e.end = dropped }) }

// Truncate serves the request, and closes the connection after half of the answer's body.
func Truncate() Fault { return served(func(e *exchange) { e.end = truncated }) }

// Stall serves the request, and goes silent after half of the answer's body.
func Stall() Fault { return served(func(e *exchange) { e.end = stalled }) }

// WrongID serves the request, but the tasks in the answer bear another id.
func WrongID() Fault {
	return tasks(func(l *taskList) {
		for i := range l.Tasks {
			l.Tasks[i].ID = "0badc0de" + l.Tasks[i].ID[min(8, len(l.Tasks[i].ID)):]
		}
	})
}

// SeveralRows serves the request, but other tasks, which have ended, stand in the answer before and after the right one.
func SeveralRows() Fault {
	return tasks(func(l *taskList) {
		rows := l.Tasks
		for i, status := range []taskwait.Status{taskwait.StatusFailed, taskwait.StatusSuccess} {
			other := row{ID: hexID("other", i), Name: "other", Params: "{}", Status: string(status), CreatedAt: "2020-06-15T08:55:53.606Z", UpdatedAt: "2020-06-15T08:55:56.600Z"}
			if i == 0 {
				rows = append([]row{other}, rows...)
			} else {
				rows = append(rows, other)
			}
		}
		l.Count, l.Tasks = strconv.Itoa(len(rows)), rows
	})
}

// WithStatus serves the request, but the tasks in the answer have this status.
func WithStatus(s string) Fault {
	return tasks(func(l *taskList) {
		for i := range l.Tasks {
			l.Tasks[i].Status = s
		}
	})
}

// NotListed serves the request, but the list of tasks is empty.
func NotListed() Fault {
	return tasks(func(l *taskList) { l.Count, l.Tasks = "0", []row{} })
}

// served is a fault that befalls the answer of a request that has been served.
func served(change func(*exchange)) Fault {
	return Fault{apply: func(e *exchange) {
		e.proceed()
		change(e)
	}}
}

func tasks(change func(*taskList)) Fault {
	return served(func(e *exchange) {
		if l, ok := e.payload.(*taskList); ok && e.status == http.StatusOK {
			change(l)
		}
	})
}
