package huawei

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/taskwait/taskwait/internal/wire"
)

// serialized lets one goroutine at a time sign with a credential: the SDK refreshes temporary ones without a lock, a
// data race. A refresh is a request of its own and may hang, so whoever waits for it gives way to its context.
type serialized struct {
	auth.ICredential
	rec *recorder
}

// ProcessAuthRequest signs the request when it is its turn. Why that fails is recorded: the requests of a refresh go
// through the same transport, and their answers are not the service's.
func (s *serialized) ProcessAuthRequest(
	client *impl.DefaultHttpClient, req *request.DefaultHttpRequest,
) (*request.DefaultHttpRequest, error) {
	release, err := turns.acquire(s.rec.ctx, s.ICredential)
	if err != nil {
		return nil, err
	}
	defer release()
	s.rec.endpoint, s.rec.credential = req.GetEndpoint(), s.ICredential
	if s.rec.signing = checkKeys(s.ICredential); s.rec.signing != nil {
		return nil, s.rec.signing
	}
	signed, err := sign(s.ICredential, client, req)
	if err != nil {
		s.rec.signing = err
		return nil, err
	}
	s.rec.signed()
	return signed, nil
}

// sign signs a request. The SDK's own credentials panic where an answer to their refresh lacks what they look for.
func sign(c auth.ICredential, client *impl.DefaultHttpClient, req *request.DefaultHttpRequest) (
	signed *request.DefaultHttpRequest, err error,
) {
	if _, _, known := keysOf(c); known {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("the SDK panicked: %v", v)
			}
		}()
	}
	return c.ProcessAuthRequest(client, req)
}

// keysOf are the keys of the SDK's own credentials; refreshed: they are fetched from elsewhere, and change.
func keysOf(c auth.ICredential) (keys map[string]string, refreshed, known bool) {
	var b auth.BaseCredentials
	switch c := c.(type) {
	case *auth.BasicCredentials:
		b = c.BaseCredentials
	case *auth.GlobalCredentials:
		b = c.BaseCredentials
	default:
		return nil, false, false
	}
	keys = map[string]string{"access key": b.AK, "secret key": b.SK, "security token": b.SecurityToken}
	return keys, b.StsAccessor != nil, true
}

// checkKeys returns an error for a key that was read with the end of its line.
func checkKeys(c auth.ICredential) error {
	keys, _, _ := keysOf(c)
	for name, key := range keys {
		if strings.TrimSpace(key) != key || strings.ContainsFunc(key, unicode.IsControl) {
			return wire.Unsendable(
				"the credential's " + name + " holds white space or a control character, such as the end of a line",
			)
		}
	}
	return nil
}

// queue holds a turn for each credential that is in use at the moment: several clients may share one credential.
type queue struct {
	mu   sync.Mutex
	busy map[auth.ICredential]*turn
}

type turn struct {
	holder chan struct{} // holds one
	users  int           // those who hold it or wait for it
}

// turns is not configuration but a lock, for objects that have none of their own.
var turns = queue{busy: map[auth.ICredential]*turn{}}

// acquire waits for the turn of c, or for the end of ctx.
func (q *queue) acquire(ctx context.Context, c auth.ICredential) (release func(), err error) {
	if !reflect.ValueOf(c).Comparable() {
		return func() {}, nil // a value, not a pointer: what it shares, if anything, cannot be told
	}
	t := q.join(c)
	select {
	case t.holder <- struct{}{}:
		return func() { <-t.holder; q.part(c, t) }, nil
	case <-ctx.Done():
		q.part(c, t)
		return nil, ctx.Err()
	}
}

func (q *queue) join(c auth.ICredential) *turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.busy[c]
	if t == nil {
		t = &turn{holder: make(chan struct{}, 1)}
		q.busy[c] = t
	}
	t.users++
	return t
}

func (q *queue) part(c auth.ICredential, t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(q.busy, c)
	}
}
