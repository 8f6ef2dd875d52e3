package fakecloud

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
)

// Serve is no fault: the request is served as usual. It takes a place in the queue.
func Serve() Fault { return Fault{apply: (*exchange).proceed} }

// Respond answers with a status from 200 to 599, a body and headers, given as pairs of name and value. Nothing else
// happens. Content-Type is JSON unless given.
func Respond(status int, body string, headers ...string) Fault {
	checkStatus("Respond", status)
	if len(headers)%2 != 0 {
		panic(fmt.Sprintf("fakecloud: Respond: headers %q, want pairs of name and value", headers))
	}
	return Fault{apply: func(e *exchange) {
		e.status, e.body = status, []byte(body)
		for i := 0; i < len(headers); i += 2 {
			e.header.Add(headers[i], headers[i+1])
		}
	}}
}

// Error answers with an error in the service's shape, or in that of the gateway if the code begins with "APIG".
func Error(status int, code, message string) Fault {
	checkStatus("Error", status)
	return Fault{apply: func(e *exchange) { e.fail(status, code, message) }}
}

// Unavailable answers 503, in the gateway's words for a service that is down, without a Retry-After.
func Unavailable() Fault {
	return Error(http.StatusServiceUnavailable, "APIGW.0201", "Backend unavailable.")
}

// Throttle answers 429 as the gateway does. The window is one minute if retryAfter is 0 and the message names it, as
// the real one does; otherwise there is a Retry-After, in whole seconds.
func Throttle(retryAfter time.Duration) Fault {
	return Fault{apply: func(e *exchange) {
		message := "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute"
		if retryAfter > 0 {
			message = "The throttling threshold has been reached."
			e.header.Set("Retry-After", strconv.FormatInt(int64((retryAfter+time.Second-1)/time.Second), 10))
		}
		e.fail(http.StatusTooManyRequests, "APIGW.0308", message)
	}}
}

// ThrottleAs404 answers as the old DMS does when it is asked too often: with a 404.
func ThrottleAs404() Fault {
	return Error(http.StatusNotFound, "DMS.10240407", "The request is too frequent. Flow control is being performed. Please try again later.")
}

// HTML answers with a page, as a proxy in between may.
func HTML(status int) Fault {
	return Respond(status, "<html><head><title>Oops</title></head><body><h1>Something went wrong</h1></body></html>", "Content-Type", "text/html")
}

// Hang never answers: the request ends when the client goes away.
func Hang() Fault { return Fault{apply: (*exchange).hang} }

// Slow serves the request after a delay. It is Serve().After(d).
func Slow(d time.Duration) Fault { return Serve().After(d) }

// Drop closes the connection without an answer. The request is not served.
func Drop() Fault { return Fault{apply: func(e *exchange) { e.end = dropped }} }

// DropAnswer serves the request, and closes the connection without an answer: a task may have been started.
func DropAnswer() Fault { return served(func(e *exchange) { e.end = dropped }) }

// Truncate serves the request, and closes the connection after half of the answer's body. An answer without a body is
// dropped.
func Truncate() Fault { return served(func(e *exchange) { e.end = truncated }) }

// Stall serves the request, and goes silent after half of the answer's body. An answer without a body never comes.
func Stall() Fault { return served(func(e *exchange) { e.end = stalled }) }

// ClockSkew serves the request with the cloud's clock ahead by d; negative: behind. It comes on top of [WithClockSkew].
func ClockSkew(d time.Duration) Fault {
	return Fault{apply: func(e *exchange) {
		e.skew += d
		e.proceed()
	}}
}

// WrongID serves the request, but the tasks in the answer bear another id.
func WrongID() Fault {
	return tasks(func(l *taskList) {
		for i := range l.Tasks {
			l.Tasks[i].ID = hexID("wrong", i)
		}
	})
}

// SeveralRows serves the request, but other tasks, which have ended long before (in the time of a bubble too), stand in the
// answer before and after the right one.
func SeveralRows() Fault {
	other := func(n int, status taskwait.Status) row {
		return row{
			ID: hexID("other", n), Name: "other", UserName: "fake_user", UserID: userID, Params: "{}", Status: string(status),
			CreatedAt: "1999-06-15T08:55:53.606Z", UpdatedAt: "1999-06-15T08:55:56.600Z",
		}
	}
	return tasks(func(l *taskList) {
		l.Tasks = append(append([]row{other(0, taskwait.StatusFailed)}, l.Tasks...), other(1, taskwait.StatusSuccess))
		l.Count = strconv.Itoa(len(l.Tasks))
	})
}

// Status serves the request, but the tasks in the answer have this status, known or not.
func Status(s string) Fault {
	return tasks(func(l *taskList) {
		for i := range l.Tasks {
			l.Tasks[i].Status = s
		}
	})
}

// NotListed serves the request, but the list of tasks is empty. [Script.ListedAfter] does so for a time.
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

// tasks is a fault that befalls a list of tasks.
func tasks(change func(*taskList)) Fault {
	return served(func(e *exchange) {
		if l, ok := e.payload.(*taskList); ok {
			change(l)
		}
	})
}
