package fakecloud

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Serve is no fault: the request is served normally. It takes a place in the queue.
func Serve() Fault { return Fault{apply: (*Exchange).proceed} }

// Respond answers with a status from 200 to 599, a body and headers, given as pairs of name and value. The request is
// not served. Content-Type is JSON unless given.
func Respond(status int, body string, headers ...string) Fault {
	CheckStatus("Respond", status)
	if len(headers)%2 != 0 {
		panic(fmt.Sprintf("fakecloud: Respond: headers %q, want pairs of name and value", headers))
	}
	return Fault{apply: func(e *Exchange) {
		e.Status, e.body = status, []byte(body)
		for i := 0; i < len(headers); i += 2 {
			e.header.Add(headers[i], headers[i+1])
		}
	}}
}

// Error answers with an error in the service's shape, or in that of the gateway if the code begins with "APIG".
func Error(status int, code, message string) Fault {
	CheckStatus("Error", status)
	return Fault{apply: func(e *Exchange) { e.Fail(status, code, message) }}
}

// Unavailable answers 503, in the gateway's words for a service that is down, without a Retry-After.
func Unavailable() Fault {
	return Error(http.StatusServiceUnavailable, "APIGW.0201", "Backend unavailable.")
}

// Throttle answers 429 as the gateway does. If retryAfter is 0 the message has a window of one minute, as that of the
// real gateway. Otherwise there is a Retry-After, in complete seconds.
func Throttle(retryAfter time.Duration) Fault {
	return Fault{apply: func(e *Exchange) {
		message := "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute"
		if retryAfter > 0 {
			message = "The throttling threshold has been reached."
			e.header.Set("Retry-After", strconv.FormatInt(int64((retryAfter+time.Second-1)/time.Second), 10))
		}
		e.Fail(http.StatusTooManyRequests, "APIGW.0308", message)
	}}
}

// HTML answers with a page, as a proxy in between may.
func HTML(status int) Fault {
	return Respond(status, "<html><head><title>Oops</title></head><body><h1>Something went wrong</h1></body></html>",
		"Content-Type", "text/html")
}

// Hang never answers: the request ends when the client goes away.
func Hang() Fault { return Fault{apply: (*Exchange).hang} }

// Slow serves the request after a delay. It is Serve().After(d).
func Slow(d time.Duration) Fault { return Serve().After(d) }

// Drop closes the connection without an answer. The request is not served.
func Drop() Fault { return Fault{apply: func(e *Exchange) { e.end = dropped }} }

// DropAnswer serves the request, and closes the connection without an answer: a task may have been started.
func DropAnswer() Fault { return ServeThen(func(e *Exchange) { e.end = dropped }) }

// Truncate serves the request, and closes the connection after half of the answer's body. An answer without a body is
// dropped.
func Truncate() Fault { return ServeThen(func(e *Exchange) { e.end = truncated }) }

// Stall serves the request, and goes silent after half of the answer's body. An answer without a body never comes.
func Stall() Fault { return ServeThen(func(e *Exchange) { e.end = stalled }) }

// ClockSkew serves the request with the cloud's clock ahead by d; negative: behind. It comes on top of [WithClockSkew].
func ClockSkew(d time.Duration) Fault {
	return Fault{apply: func(e *Exchange) {
		e.Skew += d
		e.proceed()
	}}
}

// ServeThen serves the request, and changes the answer: its Status, its Payload.
func ServeThen(change func(*Exchange)) Fault {
	return Fault{apply: func(e *Exchange) {
		e.proceed()
		change(e)
	}}
}
