package huawei

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/text"
	"github.com/taskwait/taskwait/internal/wire"
)

// The codes that do not mean what their status says are from the DMS error codes (published for the same software by
// Open Telekom Cloud) and the API gateway's, read 2026-11-23.

// noRoutes are those of a 404 that is about the URL, not the task.
var noRoutes = map[string]bool{"DMS.00404001": true, "APIGW.0101": true, "APIG.0101": true}

// throttles are the codes of a throttle, whatever the status: DMS.10240407 is sent as a 404.
var throttles = map[string]bool{"APIGW.0308": true, "APIG.0308": true, "DMS.10240407": true}

// classify is what an error of the SDK means for a wait. What the recorder saw comes first: to the SDK a body that
// does not decode has status 200 and is an error of the service, one that was cut off has status 0, and the answer to
// a refresh of the credential is the service's.
func classify(err error, rec *recorder, permission string) *taskwait.QueryError {
	if rec.signing != nil {
		return unsigned(rec)
	}
	var service *sdkerr.ServiceResponseError
	_ = errors.As(err, &service)
	status := statusOf(err, rec)
	switch {
	case status >= http.StatusBadRequest && rec.cut == nil:
		return refused(err, status, read(rec, service), rec.header, permission)
	case status >= http.StatusBadRequest && status != http.StatusNotFound: // whose code may say that it is a throttle
		return refused(err, status, wire.Content{}, rec.header, permission)
	case rec.cut != nil:
		return &taskwait.QueryError{
			StatusCode: status,
			Err:        safe{fmt.Sprintf("%s: the answer was cut off: %v", wire.StatusText(status), rec.cut), err},
		}
	case status > 0:
		return malformed(wire.StatusText(status)+": the answer does not decode", rec, err)
	}
	return unanswered(err, rec)
}

// statusOf is the status of the answer; 0: there was none.
func statusOf(err error, rec *recorder) int {
	var service *sdkerr.ServiceResponseError
	if rec.status == 0 && errors.As(err, &service) {
		return service.StatusCode
	}
	return rec.status
}

// refused is an answer of 400 or more.
func refused(err error, status int, c wire.Content, header http.Header, permission string) *taskwait.QueryError {
	q := &taskwait.QueryError{
		Code: c.Code, RequestID: cmp.Or(text.Clip(header.Get("X-Request-Id")), c.RequestID),
		RetryAfter: taskwait.RetryAfter(header), StatusCode: status,
	}
	q.Class = classOf(status, q.Code, header)
	if q.Class == taskwait.ClassThrottled && q.RetryAfter == 0 {
		q.RetryAfter = window(c.Message)
	}
	words := wire.StatusText(status)
	if status == http.StatusForbidden && permission != "" && isServiceCode(c.Code) {
		words += ", this needs the permission " + permission // before the service's words, which may be long
	}
	q.Err = safe{words + c.Words(), err}
	return q
}

// classOf is what the status means, and what the code says of it.
func classOf(status int, code string, header http.Header) taskwait.Class {
	q := checked(status, header)
	switch {
	case throttles[code]:
		return taskwait.ClassThrottled
	case status != http.StatusNotFound:
		return q.Class
	case noRoutes[code]:
		return taskwait.ClassPermanent
	case isServiceCode(code):
		return taskwait.ClassNotFound
	}
	return taskwait.ClassTransient // a proxy's 404 says nothing of the task
}

// checked is what an answer of 400 or more means, whoever sent it.
func checked(status int, header http.Header) (q *taskwait.QueryError) {
	err := taskwait.CheckResponse(&http.Response{StatusCode: status, Header: header})
	if !errors.As(err, &q) {
		q = &taskwait.QueryError{}
	}
	return q
}

// malformed is an answer that is not what was asked for. Some are errors of the service's, sent with status 200.
func malformed(words string, rec *recorder, err error) *taskwait.QueryError {
	c := read(rec, nil)
	q := &taskwait.QueryError{
		Code: c.Code, StatusCode: rec.status, RequestID: cmp.Or(text.Clip(rec.header.Get("X-Request-Id")), c.RequestID),
	}
	if c.Code != "" {
		words += c.Words()
	}
	if q.Err = errors.New(words); err != nil {
		q.Err = safe{words, err}
	}
	if throttles[c.Code] {
		q.Class, q.RetryAfter = taskwait.ClassThrottled, cmp.Or(taskwait.RetryAfter(rec.header), window(c.Message))
	}
	return q
}

// unsigned is a request that could not be signed. The answers to a refresh of the credential are not the service's, and
// may pass; but the keys of a credential that is never refreshed stay as they are.
func unsigned(rec *recorder) *taskwait.QueryError {
	const prefix = "the request could not be signed: "
	var service *sdkerr.ServiceResponseError
	status := 0
	if errors.As(rec.signing, &service) {
		status = cmp.Or(rec.status, service.StatusCode)
	}
	switch {
	case status > 0: // not wrapped: nobody is to take it for the service's
		words := prefix + wire.StatusText(status) + read(rec, service).Words()
		return &taskwait.QueryError{RetryAfter: taskwait.RetryAfter(rec.header), Err: errors.New(words)}
	case rec.status > 0: // the SDK's text may quote the answer, with keys in it
		return &taskwait.QueryError{
			Err: safe{prefix + wire.StatusText(rec.status) + ": the answer does not decode", rec.signing},
		}
	case rec.err != nil:
		q := unanswered(rec.signing, rec)
		q.Err = safe{prefix + q.Err.Error(), rec.signing}
		return q
	}
	q := &taskwait.QueryError{Err: safe{prefix + text.Clip(rec.signing.Error()), rec.signing}}
	if _, refreshed, known := keysOf(rec.credential); known && !refreshed {
		q.Class = taskwait.ClassPermanent
	}
	return q
}

// unanswered is a request without an answer.
func unanswered(err error, rec *recorder) *taskwait.QueryError {
	var network *url.Error
	q := &taskwait.QueryError{Err: safe{text.Clip(err.Error()), err}}
	built := errors.As(err, &network) && network.Op != "parse"
	if rec.err != nil && !built { // of several endpoints the SDK gives the texts alone
		built, q.Err = true, safe{text.Clip(err.Error()), rec.err}
	}
	var service *sdkerr.ServiceResponseError
	if !built && !rec.unbound() && !errors.As(err, &service) || isHopeless(cmp.Or(rec.err, err)) {
		q.Class = taskwait.ClassPermanent // it could not even be built: a malformed path
	}
	return q
}

// isHopeless reports whether err is about what can never be sent, or never be trusted.
func isHopeless(err error) bool {
	var proxy *proxyError
	if errors.As(err, &proxy) {
		return classOf(proxy.status, "", nil) == taskwait.ClassPermanent
	}
	return wire.IsHopeless(err)
}

// read reads the body of an answer; service is what the SDK has made of it, if anything.
func read(rec *recorder, service *sdkerr.ServiceResponseError) wire.Content {
	body := rec.body
	if rec.unbound() && service != nil {
		if service.ErrorCode != "" {
			return wire.Content{
				Code:      service.ErrorCode,
				Message:   service.ErrorMessage,
				RequestID: text.Clip(service.RequestId),
			}
		}
		body = []byte(service.ErrorMessage) // the SDK wants a message beside a code, or shows the whole body as one
	}
	c := wire.Parse(body, 1)
	if c.Code == "" && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) { // half an object, not a page that quotes one
		c.Code = codeIn(string(body))
	}
	c.Title = wire.Title(body)
	return c
}

// isError reports whether a body is an error of the service's and nothing else, whatever its status.
func isError(body []byte) bool {
	if !wire.MentionsCode(body) {
		return false
	}
	c := wire.Parse(body, 1)
	return c.Alone && isServiceCode(c.Code)
}

var serviceCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*\.[0-9]+$`)

// isServiceCode reports whether a code is one of Huawei Cloud's, such as DMS.00404022 and SFS.TURBO.0019, and not a
// proxy's word.
func isServiceCode(code string) bool { return serviceCode.MatchString(code) }

// The gateway words a throttle as "… policy user over ratelimit,limit:100,time:1 minute".
var windows = regexp.MustCompile(`(?i)\btime:\s*(\d{1,4})\s*(second|minute|hour|day)`)

// window reads the length of the gateway's window; 0: there is none.
func window(message string) time.Duration {
	m := windows.FindStringSubmatch(message)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	unit := map[string]time.Duration{
		"second": time.Second,
		"minute": time.Minute,
		"hour":   time.Hour,
		"day":    24 * time.Hour,
	}
	return time.Duration(n) * unit[strings.ToLower(m[2])]
}

var codes = regexp.MustCompile(`"(?:error_code|errorCode|code)"\s*:\s*"([A-Za-z0-9._-]{1,64})"`)

func codeIn(body string) string {
	if m := codes.FindStringSubmatch(body); m != nil {
		return m[1]
	}
	return ""
}

// safe is an error of the SDK with a text of our own: the SDK's may quote a whole body, with what is secret in it.
// errors.As still finds the SDK's error; to print that is then the caller's decision.
type safe struct {
	text string
	err  error
}

// Error gives our text.
func (s safe) Error() string { return s.text }

// Unwrap gives the SDK's error.
func (s safe) Unwrap() error { return s.err }

// Format writes our text, whatever the verb.
func (s safe) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.text)) }
