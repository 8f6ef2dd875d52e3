package huawei

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/text"
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
		return refused(err, status, content{}, rec.header, permission)
	case rec.cut != nil:
		return &taskwait.QueryError{
			StatusCode: status,
			Err:        safe{fmt.Sprintf("%s: the answer was cut off: %v", statusText(status), rec.cut), err},
		}
	case status > 0:
		return malformed(statusText(status)+": the answer does not decode", rec, err)
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
func refused(err error, status int, c content, header http.Header, permission string) *taskwait.QueryError {
	q := &taskwait.QueryError{
		Code: c.code, RequestID: cmp.Or(text.Clip(header.Get("X-Request-Id")), c.requestID),
		RetryAfter: taskwait.RetryAfter(header), StatusCode: status,
	}
	q.Class = classOf(status, q.Code, header)
	if q.Class == taskwait.ClassThrottled && q.RetryAfter == 0 {
		q.RetryAfter = window(c.message)
	}
	words := statusText(status)
	if status == http.StatusForbidden && permission != "" && isServiceCode(c.code) {
		words += ", this needs the permission " + permission // before the service's words, which may be long
	}
	q.Err = safe{words + c.words(), err}
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
		Code: c.code, StatusCode: rec.status, RequestID: cmp.Or(text.Clip(rec.header.Get("X-Request-Id")), c.requestID),
	}
	if c.code != "" {
		words += c.words()
	}
	if q.Err = errors.New(words); err != nil {
		q.Err = safe{words, err}
	}
	if throttles[c.code] {
		q.Class, q.RetryAfter = taskwait.ClassThrottled, cmp.Or(taskwait.RetryAfter(rec.header), window(c.message))
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
		words := prefix + statusText(status) + read(rec, service).words()
		return &taskwait.QueryError{RetryAfter: taskwait.RetryAfter(rec.header), Err: errors.New(words)}
	case rec.status > 0: // the SDK's text may quote the answer, with keys in it
		return &taskwait.QueryError{
			Err: safe{prefix + statusText(rec.status) + ": the answer does not decode", rec.signing},
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

// isHopeless reports whether err is about what can never be sent, or never be trusted: an unknown certificate
// authority, a scheme that the other side does not speak, a proxy that lets nothing pass.
func isHopeless(err error) bool {
	var proxy *proxyError
	var never unsendable
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &proxy):
		return classOf(proxy.status, "", nil) == taskwait.ClassPermanent
	case errors.As(err, &never), errors.As(err, &certificate), errors.As(err, &record):
		return true
	case errors.Is(err, http.ErrSchemeMismatch):
		return true
	}
	return hopeless.MatchString(err.Error())
}

// hopeless are the words of what has no type: a proxy's refusal to a client with its own transport, of which net/http
// gives no more than the reason, a TLS alert in answer to plain HTTP, and the server's refusal of the client's
// certificate or version.
var hopeless = regexp.MustCompile(`(?i)proxy authentication required$|` +
	`(^|": )(unauthorized|forbidden|method not allowed)$|` +
	`malformed HTTP response "\\x15\\x03|` +
	`remote error: tls: (bad certificate|certificate required|unknown certificate authority|unsupported certificate|` +
	`protocol version not supported)`)

// content is what an error's body says.
type content struct {
	code, message, requestID string
	title                    string // of a page of HTML
	alone                    bool   // there is nothing else in the body
}

// words is the content for a text, after a colon; empty: nothing is known.
func (c content) words() string {
	switch {
	case c.message != "":
		return ": " + text.Clip(c.message)
	case c.title != "":
		return ": a page, " + text.Quote(c.title) + ", and no answer of the service"
	}
	return ""
}

// read reads the body of an answer; service is what the SDK has made of it, if anything.
func read(rec *recorder, service *sdkerr.ServiceResponseError) content {
	body := rec.body
	if rec.unbound() && service != nil {
		if service.ErrorCode != "" {
			return content{
				code:      service.ErrorCode,
				message:   service.ErrorMessage,
				requestID: text.Clip(service.RequestId),
			}
		}
		body = []byte(service.ErrorMessage) // the SDK wants a message beside a code, or shows the whole body as one
	}
	c := parseContent(body, 1)
	if c.code == "" && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) { // half an object, not a page that quotes one
		c.code = codeIn(string(body))
	}
	if m := titles.FindSubmatch(body); m != nil {
		c.title = strings.TrimSpace(string(m[1]))
	}
	return c
}

var titles = regexp.MustCompile(`(?is)<title[^>]*>([^<]{1,200})</title>`)

// What an error body has in it, in the spellings that Huawei's services use, the usual one first.
var (
	codeNames      = []string{"error_code", "errorCode", "errCode", "code"}
	messageNames   = []string{"error_msg", "error_message", "errorMsg", "errMsg", "message", "msg"}
	requestIDNames = []string{"request_id", "requestId"}
	otherNames     = []string{"encoded_authorization_message", "details", "trace_id"}
	errorNames     = slices.Concat(codeNames, messageNames, requestIDNames, otherNames)
)

// parseContent reads an error body, an object. What is not at the top may stand some levels down.
func parseContent(body []byte, levels int) content {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return content{}
	}
	c := content{
		code: first(object, codeNames), message: first(object, messageNames),
		requestID: text.Clip(first(object, requestIDNames)), alone: true,
	}
	if !validCode.MatchString(c.code) {
		c.code = ""
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if slices.Contains(errorNames, name) {
			continue
		}
		below := content{}
		if levels > 0 {
			below = parseContent(object[name], levels-1)
		}
		c.alone = c.alone && below.alone
		if c.code == "" {
			c.code, c.message = below.code, cmp.Or(below.message, c.message)
		}
	}
	return c
}

// isError reports whether a body is an error of the service's and nothing else, whatever its status.
func isError(body []byte) bool {
	if !mentionsCode(body) {
		return false
	}
	c := parseContent(body, 1)
	return c.alone && isServiceCode(c.code)
}

// mentionsCode reports whether a body may have a code in it: most have none, and need not be read twice.
func mentionsCode(body []byte) bool {
	return bytes.Contains(body, []byte(`code"`)) || bytes.Contains(body, []byte(`Code"`))
}

// first is the first of an object's values by these names that is a text, and not empty.
func first(object map[string]json.RawMessage, names []string) (s string) {
	for _, name := range names {
		if json.Unmarshal(object[name], &s) == nil && s != "" {
			return s
		}
	}
	return ""
}

var (
	validCode   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	serviceCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*\.[0-9]+$`)
)

// isServiceCode reports whether a code is one of Huawei Cloud's, such as DMS.00404022, and not a proxy's word.
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

func statusText(status int) string {
	if s := http.StatusText(status); s != "" {
		return strconv.Itoa(status) + " " + s
	}
	return "status " + strconv.Itoa(status)
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
