package taskwait

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestCheckResponse has a row for each row of the table of statuses, and for what a body can say.
func TestCheckResponse(t *testing.T) {
	const dms = `{"error_code":"DMS.00404022","error_msg":"This instance\ndoes not exist.","request_id":"5b62"}`
	after := http.Header{"Retry-After": {"17"}}
	tests := []struct {
		name   string
		status int
		header http.Header
		body   string
		want   QueryError
		text   string
	}{
		{name: "429", status: 429, want: QueryError{Class: ClassThrottled}, text: "429 Too Many Requests"},
		{
			name: "429 with a time", status: 429, header: after,
			want: QueryError{Class: ClassThrottled, RetryAfter: 17 * time.Second},
		},
		{name: "503", status: 503, want: QueryError{Class: ClassTransient}},
		{
			name: "503 with a time", status: 503, header: after,
			want: QueryError{Class: ClassThrottled, RetryAfter: 17 * time.Second},
		},
		{
			name: "500 with a time", status: 500, header: after,
			want: QueryError{Class: ClassTransient, RetryAfter: 17 * time.Second},
		},
		{name: "403", status: 403, want: QueryError{Class: ClassPermanent}},
		{
			name: "403 with a time", status: 403, header: after,
			want: QueryError{Class: ClassThrottled, RetryAfter: 17 * time.Second},
		},
		{
			name: "403 with no time", status: 403, header: http.Header{"Retry-After": {"0"}},
			want: QueryError{Class: ClassPermanent},
		},
		{
			name: "401 with a time", status: 401, header: after,
			want: QueryError{Class: ClassPermanent, RetryAfter: 17 * time.Second},
		},
		{name: "400", status: 400, want: QueryError{Class: ClassPermanent}, text: "400 Bad Request"},
		{name: "407", status: 407, want: QueryError{Class: ClassPermanent}},
		{
			name: "410", status: 410, body: dms,
			want: QueryError{Class: ClassPermanent, Code: "DMS.00404022", RequestID: "5b62"},
		},
		{name: "408", status: 408, want: QueryError{Class: ClassTransient}},
		{name: "409", status: 409, want: QueryError{Class: ClassTransient}},
		{name: "421", status: 421, want: QueryError{Class: ClassTransient}},
		{name: "423", status: 423, want: QueryError{Class: ClassTransient}},
		{name: "425", status: 425, want: QueryError{Class: ClassTransient}},
		{name: "499", status: 499, want: QueryError{Class: ClassTransient}, text: "status 499"},
		{name: "302", status: 302, want: QueryError{Class: ClassTransient}},
		{name: "a status that is none", status: 0, want: QueryError{Class: ClassTransient}, text: "status 0"},
		{
			name: "a page", status: 404, body: "<html>404</html>", want: QueryError{Class: ClassTransient},
			text: "404 Not Found",
		},
		{name: "404 without a body", status: 404, want: QueryError{Class: ClassTransient}},
		{
			name: "404 with a code", status: 404, body: dms,
			want: QueryError{Class: ClassNotFound, Code: "DMS.00404022", RequestID: "5b62"},
			text: `404 Not Found: This instance\ndoes not exist. (DMS.00404022, request id 5b62)`,
		},
		{
			name: "a code one level down", status: 404, body: `{"error":{"code":"ResourceNotFound","message":"gone"}}`,
			want: QueryError{Class: ClassNotFound, Code: "ResourceNotFound"}, text: "404 Not Found: gone (ResourceNotFound)",
		},
		{
			name: "a word beside the number", status: 404, body: `{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}`,
			want: QueryError{Class: ClassNotFound, Code: "NOT_FOUND"},
		},
		{
			name: "a number is no code", status: 404, body: `{"code":404,"message":"no route"}`,
			want: QueryError{Class: ClassTransient}, text: "404 Not Found: no route",
		},
		{
			name: "nor is its text", status: 404, body: `{"code":"404","message":"no route"}`,
			want: QueryError{Class: ClassTransient},
		},
		{
			name: "nor a sentence", status: 404, body: `{"error":"Not Found","status":"error","code":"not found, sorry"}`,
			want: QueryError{Class: ClassTransient},
		},
		{
			name: "nor a text of 129 letters", status: 404, body: `{"code":"` + strings.Repeat("a", 129) + `"}`,
			want: QueryError{Class: ClassTransient},
		},
		{
			name: "a body beyond the limit", status: 404, body: `{"x":"` + strings.Repeat("a", 64<<10) + `","code":"X.1"}`,
			want: QueryError{Class: ClassTransient},
		},
		{
			name: "a request id in the header", status: 500, header: http.Header{"X-Request-Id": {"a\nb"}},
			want: QueryError{RequestID: `a\nb`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckResponse(&http.Response{
				StatusCode: tt.status, Header: tt.header, Body: io.NopCloser(strings.NewReader(tt.body)),
			})
			var q *QueryError
			if !errors.As(err, &q) {
				t.Fatalf("CheckResponse = %v, want a *QueryError", err)
			}
			got := *q
			got.Err = nil
			if tt.want.StatusCode = tt.status; got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if tt.text != "" && err.Error() != tt.text {
				t.Errorf("text %q, want %q", err, tt.text)
			}
		})
	}
}

// longBody counts what is read of it, and must not be closed.
type longBody struct {
	t    *testing.T
	read int
}

func (c *longBody) Read(p []byte) (int, error) { c.read += len(p); return len(p), nil }
func (c *longBody) Close() error               { c.t.Error("the body was closed"); return nil }

func TestCheckResponseBody(t *testing.T) {
	for status, want := range map[int]int{200: 0, 204: 0, 299: 0, 400: 64 << 10, 503: 64 << 10} {
		body := &longBody{t: t}
		err := CheckResponse(&http.Response{StatusCode: status, Body: body})
		if (err == nil) != (want == 0) || body.read > want || want > 0 && body.read == 0 {
			t.Errorf("%d: %v, %d bytes read; want at most %d", status, err, body.read, want)
		}
	}
	var q *QueryError
	if err := CheckResponse(nil); !errors.As(err, &q) || q.Class != ClassTransient {
		t.Errorf("no answer: %v", err)
	}
	if err := CheckResponse(&http.Response{StatusCode: http.StatusInternalServerError}); err == nil ||
		err.Error() != "500 Internal Server Error" {
		t.Errorf("no body: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Mon, 23 Nov 2026 12:00:00 GMT"
	for _, tt := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0}, {"17", "", 17 * time.Second}, {" 17 ", "", 17 * time.Second}, {"0", "", 0}, {"-1", "", 0},
		{"soon", "", 0}, {"1.5", "", 0},
		{"99999999999999999999", "", 365 * 24 * time.Hour},
		{"Mon, 23 Nov 2026 12:00:42 GMT", date, 42 * time.Second},
		{"Mon, 23 Nov 2026 11:59:00 GMT", date, 0},
		{"Mon, 23 Nov 9999 12:00:00 GMT", date, 365 * 24 * time.Hour},
	} {
		h := http.Header{"Retry-After": {tt.value}, "Date": {tt.date}}
		if got := RetryAfter(h); got != tt.want {
			t.Errorf("Retry-After %q at %q: %v, want %v", tt.value, tt.date, got, tt.want)
		}
	}
}

// TestConstructors: what a Source returns keeps what is known of the error inside.
func TestConstructors(t *testing.T) {
	full := &QueryError{
		Class: ClassTransient, StatusCode: 404, RetryAfter: time.Second, Code: "X.1", RequestID: "r", Err: io.EOF,
	}
	for _, tt := range []struct {
		name string
		err  error
		want QueryError
		text string
	}{
		{"nothing", NotFound(nil), QueryError{Class: ClassNotFound}, "not found"},
		{"a plain error", Permanent(io.EOF), QueryError{Class: ClassPermanent, Err: io.EOF}, "EOF"},
		{"a time", Throttled(time.Minute, nil), QueryError{Class: ClassThrottled, RetryAfter: time.Minute}, "throttled"},
		{"a time in the past", Throttled(-time.Minute, nil), QueryError{Class: ClassThrottled}, "throttled"},
		{
			"a QueryError", NotFound(full), QueryError{ClassNotFound, 404, time.Second, "X.1", "r", io.EOF},
			"EOF (X.1, request id r)",
		},
		{
			"its own time", Throttled(0, full), QueryError{ClassThrottled, 404, time.Second, "X.1", "r", io.EOF},
			"EOF (X.1, request id r)",
		},
		{
			"another time", Throttled(time.Minute, full), QueryError{ClassThrottled, 404, time.Minute, "X.1", "r", io.EOF},
			"EOF (X.1, request id r)",
		},
		{
			"a QueryError without words", Permanent(&QueryError{Code: "X.1"}), QueryError{Class: ClassPermanent, Code: "X.1"},
			"permanent (X.1)",
		},
		{
			"a nil one", Permanent((*QueryError)(nil)), QueryError{Class: ClassPermanent, Err: (*QueryError)(nil)},
			"a nil *QueryError",
		},
	} {
		q, ok := tt.err.(*QueryError)
		if !ok || *q != tt.want || q.Error() != tt.text {
			t.Errorf("%s: %+v %q\nwant %+v %q", tt.name, q, tt.err, tt.want, tt.text)
		}
	}
	outer := errors.Join(errors.New("outer"), full)
	if err := NotFound(outer); !errors.Is(err, io.EOF) || err.Error() != `outer\nEOF (X.1, request id r)` {
		t.Errorf("a QueryError inside another error: %v", err)
	}
	for _, err := range []error{NotFound(nil), Permanent(nil), Throttled(0, nil)} {
		if err == nil {
			t.Error("a constructor has returned nil")
		}
	}
}
