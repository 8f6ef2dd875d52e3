package huawei

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer/algorithm"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
)

// temporary refreshes itself at each use, without a lock, as the SDK's temporary credentials do when they are due.
type temporary struct {
	auth.BasicCredentials
	refreshed int
	refresh   func() // what a refresh waits for
}

func (c *temporary) ProcessAuthRequest(client *impl.DefaultHttpClient,
	req *request.DefaultHttpRequest) (*request.DefaultHttpRequest, error) {
	if c.refreshed++; c.refresh != nil {
		c.refresh()
	}
	c.AK, c.SK = "ak", "sk"
	return c.BasicCredentials.ProcessAuthRequest(client, req)
}

// service answers everybody alike, and notes how each request was signed.
type service struct {
	mu     sync.Mutex
	signed []string
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = append(s.signed, r.Header.Get("Authorization"))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
}

func newCaller(c auth.ICredential, cfg *config.HttpConfig) *Caller {
	client := core.NewHcHttpClient(impl.NewDefaultHttpClient(cfg))
	return NewCaller(client.WithEndpoints([]string{"https://kafka.fake"}).WithCredential(c))
}

func showBackgroundTask(ctx context.Context, c *Caller) error {
	_, err := Query(ctx, c, "", func(hc *core.HcHttpClient) (*model.ShowBackgroundTaskResponse, error) {
		return kafka.NewKafkaClient(hc).ShowBackgroundTask(&model.ShowBackgroundTaskRequest{InstanceId: "i", TaskId: "t"})
	})
	return err
}

// TestTemporaryCredentials polls from many goroutines, over two clients that share a credential: under -race.
func TestTemporaryCredentials(t *testing.T) {
	credential, s := &temporary{}, &service{}
	one := newCaller(credential, config.DefaultHttpConfig().WithHttpRoundTripper(s))
	two := newCaller(credential, config.DefaultHttpConfig().WithHttpRoundTripper(s))
	var all sync.WaitGroup
	for range 10 {
		for _, c := range []*Caller{one, two} {
			all.Go(func() {
				for range 10 {
					if err := showBackgroundTask(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	if credential.refreshed != 200 || len(s.signed) != 200 || len(turns.busy) != 0 {
		t.Errorf("%d refreshes, %d requests, %d turns left; want 200, 200, none", credential.refreshed, len(s.signed),
			len(turns.busy))
	}
}

// TestStuckRefresh lets a refresh hang: who waits for it gives way to its own context.
func TestStuckRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		credential, s := &temporary{}, &service{}
		credential.refresh = func() { time.Sleep(time.Hour) }
		c := newCaller(credential, config.DefaultHttpConfig().WithHttpRoundTripper(s))
		go func() { _ = showBackgroundTask(context.Background(), c) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		if err := showBackgroundTask(ctx, c); !errors.Is(err, context.DeadlineExceeded) ||
			time.Since(start) != 3*time.Second {
			t.Errorf("error = %v after %v, want the context's after 3s", err, time.Since(start))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(turns.busy) != 0 || len(s.signed) != 1 {
			t.Errorf("%d turns left and %d requests, want none and one", len(turns.busy), len(s.signed))
		}
	})
}

// TestSigners sends a request with each of the five signers.
func TestSigners(t *testing.T) {
	key := func(b *basic.CredentialsBuilder) auth.ICredential {
		c, err := b.WithProjectId("p").SafeBuild()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	plain := key(basic.NewCredentialsBuilder().WithAk("ak").WithSk("0123456789abcdef0123456789abcdef"))
	derived := &auth.BasicCredentials{
		BaseCredentials: auth.BaseCredentials{AK: "ak", SK: "sk", DerivedPredicate: auth.GetDefaultDerivedPredicate()},
		ProjectId:       "p",
	}
	derived.ProcessDerivedAuthParams("kafka", "here-1")
	tests := []struct {
		name       string
		credential auth.ICredential
		algorithm  algorithm.SigningAlgorithm
		want       string
	}{
		{"HMAC-SHA256", plain, algorithm.HmacSHA256, "SDK-HMAC-SHA256 "},
		{"HMAC-SM3", plain, algorithm.HmacSM3, "SDK-HMAC-SM3 "},
		{"ECDSA-P256-SHA256", plain, algorithm.EcdsaP256SHA256, "SDK-ECDSA-P256-SHA256 "},
		{"SM2-SM3", plain, algorithm.SM2SM3, "SDK-SM2-SM3 "},
		{"derived", derived, algorithm.HmacSHA256, "V11-HMAC-SHA256 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &service{}
			cfg := config.DefaultHttpConfig().WithHttpRoundTripper(s).WithSigningAlgorithm(tt.algorithm)
			if err := showBackgroundTask(t.Context(), newCaller(tt.credential, cfg)); err != nil {
				t.Fatal(err)
			}
			if len(s.signed) != 1 || !strings.HasPrefix(s.signed[0], tt.want) {
				t.Errorf("Authorization = %q, want it to begin with %q", s.signed, tt.want)
			}
		})
	}
}

// FuzzRetryAfter reads what services send: never negative, never a panic.
func FuzzRetryAfter(f *testing.F) {
	f.Add("17", "", "limit:10,time:1 minute")
	f.Add("Fri, 01 Jan 2010 00:00:42 GMT", "Fri, 01 Jan 2010 00:00:00 GMT", "time: 99999 days")
	f.Add("-1", "rubbish", `{"error_code":"X"`)
	f.Fuzz(func(t *testing.T, after, date, message string) {
		h := http.Header{"Retry-After": {after}, "Date": {date}}
		if d := taskwait.RetryAfter(h); d < 0 {
			t.Errorf("Retry-After %q, Date %q: %v", after, date, d)
		}
		if d := window(message); d < 0 {
			t.Errorf("window(%q) = %v", message, d)
		}
		if c := codeIn(message); len(c) > 64 {
			t.Errorf("codeIn(%q) = %q", message, c)
		}
	})
}

// iam answers requests for temporary keys, and every other one well.
type iam struct {
	service
	status int
	body   string
	header http.Header
	err    error
}

func (i *iam) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.Host != "iam.fake":
		return i.service.RoundTrip(r)
	case i.err != nil:
		return nil, i.err
	}
	return &http.Response{StatusCode: i.status, Header: i.header, Body: io.NopCloser(strings.NewReader(i.body))}, nil
}

// federated is a credential that fetches its keys from IAM with the token in a file.
func federated(t *testing.T, file string) auth.ICredential {
	t.Helper()
	c, err := basic.NewCredentialsBuilder().WithIdpId("idp").WithIdTokenFile(file).WithProjectId("p").
		WithIamEndpointOverride("https://iam.fake").SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestUnsigned: what goes wrong while a credential is refreshed is not the service's word on what was asked for.
func TestUnsigned(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("token"), 0o600); err != nil {
		t.Fatal(err)
	}
	static := &auth.BasicCredentials{ProjectId: "p"}
	const transient, permanent = taskwait.ClassTransient, taskwait.ClassPermanent
	for _, tt := range []struct {
		name       string
		credential auth.ICredential
		iam        *iam
		class      taskwait.Class
		after      time.Duration
		text       string
	}{
		{
			"404", federated(t, token), &iam{status: 404, body: `{"error":{"code":404,"title":"Not Found",` +
				`"message":"Could not find the identity provider."}}`},
			transient, 0, "the request could not be signed: 404 Not Found: Could not find the identity provider.",
		},
		{
			"404, with a code", federated(t, token),
			&iam{status: 404, body: `{"error_code":"IAM.0004","error_msg":"No such provider."}`},
			transient, 0, "the request could not be signed: 404 Not Found: No such provider.",
		},
		{
			"403", federated(t, token), &iam{status: 403, body: `{"error_code":"IAM.0003","error_msg":"Not allowed."}`},
			transient, 0, "403 Forbidden: Not allowed.",
		},
		{
			"401", federated(t, token),
			&iam{
				status: 401, header: http.Header{"X-Iam-Trace-Id": {"7d1f"}},
				body: `{"error_code":"IAM.0001","error_msg":"Expired."}`,
			},
			transient, 0, "401 Unauthorized: Expired.",
		},
		{
			"429", federated(t, token), &iam{status: 429, header: http.Header{"Retry-After": {"17"}}}, transient,
			17 * time.Second, "429 Too Many Requests",
		},
		{
			"500", federated(t, token), &iam{status: 500, body: "<html><title>Oops</title>hush</html>"}, transient, 0,
			`500 Internal Server Error: a page, "Oops"`,
		},
		{
			"200, and no keys", federated(t, token), &iam{status: 200, body: "<html>hush"}, transient, 0,
			"the request could not be signed: ",
		},
		{
			"201, and nothing in it", federated(t, token), &iam{status: 201, body: "{}"}, transient, 0,
			"the request could not be signed: 201 Created: the answer does not decode",
		},
		{
			"no answer", federated(t, token), &iam{err: errors.New("connection reset by peer")}, transient, 0,
			"the request could not be signed: Post ",
		},
		{
			"the wrong certificate", federated(t, token),
			&iam{err: &tls.CertificateVerificationError{Err: errors.New("unknown authority")}}, permanent, 0,
			"unknown authority",
		},
		{
			"the token file is missing", federated(t, token+".none"), &iam{}, transient, 0,
			"token.none: no such file or directory",
		},
		{
			"a key that is never refreshed", static, &iam{}, permanent, 0,
			"the request could not be signed: ak is required in credentials",
		},
		{
			"a credential of the user's own", failing{}, &iam{}, transient, 0,
			"the request could not be signed: the vault is sealed",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCaller(tt.credential, config.DefaultHttpConfig().WithHttpRoundTripper(tt.iam))
			err := showBackgroundTask(t.Context(), c)
			var q *taskwait.QueryError
			var service *sdkerr.ServiceResponseError
			switch {
			case !errors.As(err, &q) || q.Class != tt.class || q.RetryAfter != tt.after || q.Code != "" ||
				!strings.Contains(err.Error(), tt.text):
				t.Errorf("%+v, want %v after %v that says %q, without a code", err, tt.class, tt.after, tt.text)
			case errors.As(err, &service):
				t.Errorf("%v is the service's: %v", err, service)
			case strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "permission"):
				t.Errorf("%v says too much", err)
			case len(tt.iam.signed) > 0:
				t.Error("the service was asked")
			}
			_, err = Mutate(t.Context(), c, "", func(hc *core.HcHttpClient) (*model.DeleteInstanceResponse, error) {
				return kafka.NewKafkaClient(hc).DeleteInstance(&model.DeleteInstanceRequest{InstanceId: "i"})
			})
			if want := map[taskwait.Class]taskwait.Class{
				transient: taskwait.ClassNotSent, permanent: permanent,
			}[tt.class]; classOfError(err) != want {
				t.Errorf("of a change: %v, want %v", err, want)
			}
		})
	}
}

func classOfError(err error) taskwait.Class {
	var q *taskwait.QueryError
	if !errors.As(err, &q) {
		return -1
	}
	return q.Class
}

// failing is a credential that does not sign.
type failing struct{ auth.ICredential }

func (failing) ProcessAuthRequest(*impl.DefaultHttpClient,
	*request.DefaultHttpRequest) (*request.DefaultHttpRequest, error) {
	return nil, errors.New("the vault is sealed")
}
