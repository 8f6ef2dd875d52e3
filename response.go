package taskwait

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

const (
	// maxErrorBody is how much is read of an answer that is an error: a service's code stands near its beginning.
	maxErrorBody = 64 << 10

	// maxRetrySeconds is the most seconds that are read of a Retry-After: a year, which no sum overflows.
	maxRetrySeconds = 365 * 24 * 60 * 60

	// clientClosedRequest is the status in the logs and answers of nginx for a client that has gone.
	clientClosedRequest = 499
)

// transientStatuses are those below 500 that may pass: timeouts, conflicts, locks, too early, a wrong connection.
var transientStatuses = map[int]bool{
	http.StatusRequestTimeout: true, http.StatusConflict: true, http.StatusMisdirectedRequest: true,
	http.StatusLocked: true, http.StatusTooEarly: true, clientClosedRequest: true,
}

// CheckResponse returns nil for an answer with a status of 2xx, and a [*QueryError] otherwise, for a [Source] over
// HTTP:
//
//	if err := taskwait.CheckResponse(resp); err != nil {
//		return taskwait.Task{}, err
//	}
//
// The error has the status, Retry-After, and the code, message and request id of a JSON body. It is ClassThrottled for
// 429, and for 403 and 503 with a Retry-After. It is ClassNotFound for 404 with a code in the body; one without a code
// may be a proxy's page, and is transient. Use [NotFound] where the service's own 404 has no code. It is transient for
// 5xx, 408, 409, 421, 423, 425 and 499, and for what is neither 2xx nor an error, such as a redirect. It is
// ClassPermanent for every other 4xx.
//
// At most 64 KiB of the body are read, and none if the status is 2xx. The caller closes the body.
func CheckResponse(resp *http.Response) error {
	switch {
	case resp == nil:
		return &QueryError{Err: errors.New("there is no answer")}
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return nil
	}
	q := &QueryError{
		StatusCode: resp.StatusCode, RetryAfter: RetryAfter(resp.Header),
		RequestID: text.Clip(resp.Header.Get("X-Request-Id")),
	}
	words := statusLine(resp.StatusCode)
	if resp.Body != nil {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what was read before an error is enough
		c := parseErrorBody(body)
		q.Code, q.RequestID = c.code, cmp.Or(q.RequestID, c.requestID)
		if c.message != "" {
			words += ": " + text.Clip(c.message)
		}
	}
	q.Class, q.Err = classOfStatus(q), errors.New(words)
	return q
}

// classOfStatus is the one table of HTTP statuses.
func classOfStatus(q *QueryError) Class {
	switch status := q.StatusCode; {
	case status == http.StatusTooManyRequests,
		q.RetryAfter > 0 && (status == http.StatusForbidden || status == http.StatusServiceUnavailable):
		return ClassThrottled
	case status < 400 || status >= 500 || transientStatuses[status]:
		return ClassTransient
	case status != http.StatusNotFound:
		return ClassPermanent
	case q.Code != "":
		return ClassNotFound
	}
	return ClassTransient
}

// RetryAfter reads the header Retry-After, for [Task].RetryAfter and [Throttled]: seconds, or a date, which is compared
// with the answer's own Date, because clocks differ. 0: there is none, it cannot be read, or it is past. At most a
// year.
func RetryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, maxRetrySeconds)) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetrySeconds*time.Second)
}

func statusLine(status int) string {
	if s := http.StatusText(status); s != "" {
		return strconv.Itoa(status) + " " + s
	}
	return "status " + strconv.Itoa(status)
}

// errorBody is what a JSON body says of an error.
type errorBody struct{ code, message, requestID string }

// The names of these in JSON, the usual ones first. nestedCodeNames are those in an object named "error".
var (
	codeNames       = []string{"code", "error_code", "errorCode", "errCode", "__type"}
	nestedCodeNames = append(codeNames[:len(codeNames):len(codeNames)], "status")
	messageNames    = []string{"message", "error_msg", "error_message", "errorMsg", "errMsg", "msg"}
	requestIDNames  = []string{"request_id", "requestId", "RequestId"}
)

// maxCode bounds a code.
const maxCode = 128

// codePattern matches a code: a name with a letter in it. A number alone repeats the status, and is no code.
var codePattern = regexp.MustCompile(`^[A-Za-z0-9._:/#-]*[A-Za-z][A-Za-z0-9._:/#-]*$`)

// parseErrorBody reads an object, or the one named "error" in it.
func parseErrorBody(body []byte) errorBody {
	var top, nested map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		return errorBody{}
	}
	c := parseErrorObject(top, codeNames)
	if c.code == "" && json.Unmarshal(top["error"], &nested) == nil {
		n := parseErrorObject(nested, nestedCodeNames)
		return errorBody{n.code, cmp.Or(n.message, c.message), cmp.Or(c.requestID, n.requestID)}
	}
	return c
}

func parseErrorObject(object map[string]json.RawMessage, codes []string) errorBody {
	isCode := func(s string) bool { return len(s) <= maxCode && codePattern.MatchString(s) }
	notEmpty := func(s string) bool { return s != "" }
	return errorBody{
		firstText(object, codes, isCode), firstText(object, messageNames, notEmpty),
		text.Clip(firstText(object, requestIDNames, notEmpty)),
	}
}

// firstText is the first of an object's values by these names that is a text, and good.
func firstText(object map[string]json.RawMessage, names []string, good func(string) bool) string {
	for _, name := range names {
		var s string
		if json.Unmarshal(object[name], &s) == nil && good(s) {
			return s
		}
	}
	return ""
}
