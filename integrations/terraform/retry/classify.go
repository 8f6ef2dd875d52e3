package retry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/taskwait/taskwait"
)

// throttles are codes of Huawei Cloud's gateway and of DMS that are a throttle whatever the status: the last is sent
// with 404. From the published error codes, read 2026-11-23.
var throttles = map[string]bool{"APIGW.0308": true, "APIG.0308": true, "DMS.10240407": true}

// classify is what an error of Refresh means.
func classify(err error) taskwait.QueryError {
	var q *taskwait.QueryError
	if errors.As(err, &q) && q != nil {
		return *q
	}
	if r := responseIn(err); r != nil {
		return r.classify()
	}
	if isNetwork(err) {
		return taskwait.QueryError{}
	}
	return taskwait.QueryError{Class: taskwait.ClassPermanent}
}

// response is what an error shows of an answer over HTTP.
type response struct {
	status int
	code   string // of the service
	header http.Header
	body   []byte
}

// classify is what the answer means, as for every other Source.
func (r *response) classify() taskwait.QueryError {
	var q *taskwait.QueryError
	answer := &http.Response{StatusCode: r.status, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.body))}
	if !errors.As(taskwait.CheckResponse(answer), &q) { // a good answer that was not understood
		q = &taskwait.QueryError{StatusCode: r.status}
	}
	if r.code != "" {
		q.Code = r.code
	}
	switch {
	case throttles[q.Code]:
		q.Class = taskwait.ClassThrottled
	case r.status == http.StatusNotFound && (q.Code != "" || len(r.body) == 0): // a body without a code is a proxy's page
		q.Class = taskwait.ClassNotFound
	}
	return *q
}

// responseIn is what the first error shows that shows a status; nil: none does.
func responseIn(err error) (r *response) {
	walk(err, func(err error) bool {
		r = responseOf(err)
		return r != nil
	})
	return r
}

// walk calls f for err and what it wraps, until f returns true. It reports whether that was so.
func walk(err error, f func(error) bool) bool {
	if err == nil {
		return false
	}
	if f(err) {
		return true
	}
	switch u := err.(type) { //nolint:errorlint // it is the walk itself
	case interface{ Unwrap() error }:
		return walk(u.Unwrap(), f)
	case interface{ Unwrap() []error }:
		for _, err := range u.Unwrap() {
			if walk(err, f) {
				return true
			}
		}
	}
	return false
}

// responseOf is what err itself shows, by its methods and fields; nil: no status.
func responseOf(err error) *response {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	r := &response{}
	if v = reflect.Indirect(v); v.Kind() == reflect.Struct {
		r.readFields(v)
	}
	r.callMethods(err)
	if r.status < 200 || r.status > 599 {
		return nil
	}
	return r
}

// callMethods reads what a method of the error shows. One that panics, as where there was no response, shows nothing.
func (r *response) callMethods(err error) {
	defer func() { _ = recover() }() // helper/retry does not call it at all
	switch e := err.(type) {         //nolint:errorlint // responseIn looks at what it wraps
	case interface{ StatusCode() int }:
		r.status = e.StatusCode()
	case interface{ GetStatusCode() int }:
		r.status = e.GetStatusCode()
	case interface{ HTTPStatusCode() int }:
		r.status = e.HTTPStatusCode()
	}
}

// readFields reads what the fields of an error show.
func (r *response) readFields(v reflect.Value) {
	r.status, _ = field[int](v, "StatusCode") // huaweicloud-sdk-go-v3, azcore
	r.code, _ = field[string](v, "ErrorCode")
	if body, ok := field[[]byte](v, "Body"); ok && r.status == 0 { // golangsdk, gophercloud
		r.status, _ = field[int](v, "Actual")
		r.body = body
	}
	r.header, _ = field[http.Header](v, "ResponseHeader") // gophercloud
	//nolint:bodyclose // the SDK has read it
	if raw, _ := field[*http.Response](v, "RawResponse"); raw != nil { // azcore
		r.header = raw.Header
	}
}

// field is the value of an exported field, also of one that is embedded. ok is false if there is none of that name and
// type.
func field[T any](v reflect.Value, name string) (value T, ok bool) {
	f, ok := v.Type().FieldByName(name)
	if !ok || !f.IsExported() {
		return value, false
	}
	at, err := v.FieldByIndexErr(f.Index)
	if err != nil || !at.CanInterface() {
		return value, false
	}
	value, ok = at.Interface().(T)
	return value, ok
}

// isNetwork reports whether err is a fault of the network: no connection, one that was lost, or no answer in time. What
// can never be sent or trusted is none, and neither is it that somebody has cancelled the request.
func isNetwork(err error) bool {
	var timeout interface{ Timeout() bool }
	var sent *url.Error
	var connection *net.OpError
	var lookup *net.DNSError
	switch {
	case errors.Is(err, context.Canceled), isHopeless(err):
		return false
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	}
	return errors.As(err, &sent) || errors.As(err, &connection) || errors.As(err, &lookup)
}

// isHopeless reports whether err is about what can never be sent, or never be trusted.
func isHopeless(err error) bool {
	var sent *url.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch) ||
		errors.As(err, &sent) && (sent.Op == "parse" || strings.Contains(sent.Err.Error(), "unsupported protocol scheme"))
}
