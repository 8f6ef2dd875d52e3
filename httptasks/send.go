package httptasks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/wire"
)

// maxBody bounds what is read of an answer. A page of jobs has some 100 kB.
const maxBody = 16 << 20

// Sender sends one request, under ctx, and returns the answer, whatever its HTTP status. r has only those placeholders
// that are not in [API.Vars]. An error is that of the query: ctx.Err(), or a [*taskwait.QueryError]. A plain error is
// transient. A Sender is called from many goroutines at once.
type Sender func(ctx context.Context, r Request) (Answer, error)

// Answer is what a [Sender] returns.
type Answer struct {
	StatusCode int         // 0: 200
	Header     http.Header // for Retry-After, Date and errors; nil: none
	Body       []byte      // not changed afterwards
}

// Option changes how a [Source] sends its requests.
type Option func(*sender)

// WithHeader sets a header of each request, such as Authorization. It is sent to the host of the API and to no other,
// and never printed. A token that expires belongs in the client's Transport.
func WithHeader(name, value string) Option {
	return func(s *sender) { s.header.Set(name, value) }
}

// sender sends requests through an http.Client.
type sender struct {
	client *http.Client
	header http.Header
}

func newSender(client *http.Client, opts []Option) *sender {
	if client == nil {
		client = http.DefaultClient
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s := &sender{&own, http.Header{"Accept": {"application/json"}}}
	for _, o := range opts {
		o(s)
	}
	return s
}

// send sends a request. Redirects are not followed.
func (s *sender) send(ctx context.Context, r Request) (Answer, error) {
	var body io.Reader
	if r.Body != "" {
		body = strings.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		return Answer{}, taskwait.Permanent(withoutQuery(err))
	}
	req.Header = s.header.Clone()
	if r.RequestID.Name != "" {
		req.Header.Set(r.RequestID.Name, r.RequestID.Value)
	}
	if r.Body != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return Answer{}, cause(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil && resp.StatusCode < http.StatusMultipleChoices:
		return Answer{}, cause(ctx, fmt.Errorf("the answer was cut off: %w", err))
	case len(text) > maxBody:
		return Answer{}, &taskwait.QueryError{
			StatusCode: resp.StatusCode, Err: errors.New("the answer is longer than 16 MiB"),
		}
	}
	if resp.StatusCode >= http.StatusBadRequest {
		text = withoutSecrets(text, resp.Request, r.RequestID.Name)
	}
	return Answer{resp.StatusCode, resp.Header, text}, nil
}

// leastSecret is how long a word is, at least, that may be a secret.
const leastSecret = 8

// withoutSecrets is the body of an error without what the headers and the query of the request hold, which a service
// may repeat. The headers are those that were sent last, also by the client's Transport. One of them is not secret.
func withoutSecrets(body []byte, r *http.Request, not string) []byte {
	if r == nil || r.URL == nil {
		return body
	}
	known := []string{"Accept", "Content-Type", "User-Agent", http.CanonicalHeaderKey(not)}
	var words []string
	for name, values := range r.Header {
		if !slices.Contains(known, name) {
			words = append(append(words, values...), strings.Fields(strings.Join(values, " "))...)
		}
	}
	for _, values := range r.URL.Query() {
		words = append(words, values...)
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // one may hold another
	for _, word := range words {
		if len(word) < leastSecret {
			break
		}
		for _, form := range []string{word, url.QueryEscape(word), quoted(word)} {
			body = bytes.ReplaceAll(body, []byte(form), []byte("…"))
		}
	}
	return body
}

// cause is the error of a request that got no answer: the context's if it has ended.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	clean := withoutQuery(err)
	if wire.IsHopeless(err) {
		return taskwait.Permanent(clean)
	}
	return clean
}

// withoutQuery is an error of net/http without the query of the URL, which may hold a key.
func withoutQuery(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	where := "the URL"
	if parsed, wrong := url.Parse(u.URL); wrong == nil {
		parsed.RawQuery, parsed.Fragment, parsed.User = "", "", nil
		where = parsed.String()
	}
	return &url.Error{Op: u.Op, URL: where, Err: u.Err}
}
