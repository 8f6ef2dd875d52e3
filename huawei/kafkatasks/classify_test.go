package kafkatasks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

const (
	password = "pa55w0rd"
	titled   = "<html><head><title>\n Blocked by policy </title></head><body>" + password + "</body></html>"
	page     = "<html>a page with " + password + " in it" + "</html>"
)

// TestClassify has a row for each error that the SDK can produce, produced by the SDK.
func TestClassify(t *testing.T) {
	const (
		transient = taskwait.ClassTransient
		throttled = taskwait.ClassThrottled
		missing   = taskwait.ClassNotFound
		permanent = taskwait.ClassPermanent
	)
	respond, refuse := fakecloud.Respond, fakecloud.Error
	dated := func(retryAfter string) fakecloud.Fault { // by a clock that is ten years ahead of ours
		return respond(429, "", "Date", "Fri, 01 Jan 2010 00:00:00 GMT", "Retry-After", retryAfter)
	}
	tests := []struct {
		name  string
		fault fakecloud.Fault
		class taskwait.Class
		after time.Duration
		code  string
		text  string // in the error
	}{
		{"429", respond(429, ""), throttled, 0, "", "429 Too Many Requests"},
		{
			"429, seconds", fakecloud.Throttle(17 * time.Second), throttled, 17 * time.Second, "APIGW.0308",
			"The throttling threshold has been reached",
		},
		{"429, a date, by the service's clock", dated("Fri, 01 Jan 2010 00:00:42 GMT"), throttled, 42 * time.Second, "", ""},
		{"429, a date in the past", dated("Thu, 31 Dec 2009 23:59:42 GMT"), throttled, 0, "", ""},
		{"429, rubbish", dated("soon"), throttled, 0, "", ""},
		{"429, negative", dated("-5"), throttled, 0, "", ""},
		{"429, window in the message", fakecloud.Throttle(0), throttled, time.Minute, "APIGW.0308", "429 Too Many Requests"},
		{
			"429, another gateway", refuse(429, "APIG.0308", "over ratelimit,limit:5,time:10 second"), throttled,
			10 * time.Second, "APIG.0308", "",
		},
		{"a throttle's code with another status", refuse(400, "APIGW.0308", "throttled"), throttled, 0, "APIGW.0308", ""},
		{"a throttle sent as 404", fakekafka.ThrottleAs404(), throttled, 0, "DMS.10240407", "Flow control"},
		{"503, seconds", respond(503, "", "Retry-After", "9"), throttled, 9 * time.Second, "", "503 Service Unavailable"},
		{"503", fakecloud.Unavailable(), transient, 0, "APIGW.0201", "503 Service Unavailable: Backend unavailable."},
		{"503, empty", respond(503, ""), transient, 0, "", "503 Service Unavailable"},
		{"408", refuse(408, "DMS.111501024", "Query timed out."), transient, 0, "DMS.111501024", "408 Request Timeout"},
		{
			"500", refuse(500, "DMS.00500000", "Internal error."), transient, 0, "DMS.00500000",
			"500 Internal Server Error: Internal error.",
		},
		{"500, Retry-After", respond(500, "", "Retry-After", "3"), transient, 3 * time.Second, "", ""},
		{"502, HTML", respond(502, page), transient, 0, "", "502 Bad Gateway"},
		{"504", respond(504, ""), transient, 0, "", "504 Gateway Timeout"},
		{"599", respond(599, ""), transient, 0, "", "status 599"},

		{"{}", respond(200, "{}"), transient, 0, "", "the answer (status 200) has no tasks in it"},
		{"null", respond(200, "null"), transient, 0, "", "has no tasks"},
		{"tasks: null", respond(200, `{"tasks":null}`), transient, 0, "", "has no tasks"},
		{"empty", respond(200, ""), transient, 0, "", "has no tasks"},
		{"204", respond(204, ""), transient, 0, "", "(status 204)"},
		{"302", respond(302, "", "Location", "/login"), transient, 0, "", "(status 302)"},
		{"302, HTML", respond(302, page), transient, 0, "", "302 Found: the answer does not decode"},
		{"200, HTML", respond(200, page), transient, 0, "", "200 OK: the answer does not decode"},
		{"an array", respond(200, `[]`), transient, 0, "", "does not decode"},
		{"cut off", fakecloud.Truncate(), transient, 0, "", "200 OK: the answer was cut off: unexpected EOF"},
		{"dropped", fakecloud.Drop(), transient, 0, "", "EOF"},
		{"the client's own timeout", fakecloud.Hang(), transient, 0, "", "the client's own timeout of 20s"},
		{
			"the client's own timeout, in the body", fakecloud.Stall(), transient, 0, "",
			"cut off: the client's own timeout of 20s",
		},

		{
			"403, and much to say", refuse(403, "DMS.00403002", "User "+strings.Repeat("x", 400)+password), permanent, 0,
			"DMS.00403002", "needs the permission dms:instance:getBackgroundTask: User xx",
		},
		{"404, no such API", refuse(404, "APIGW.0101", "The API does not exist."), permanent, 0, "APIGW.0101", ""},
		{"429, for ages", respond(429, "", "Retry-After", "99999999999999999999"), throttled, 365 * 24 * time.Hour, "", ""},
		{
			"400", refuse(400, "DMS.00400070", "Invalid task ID format."), permanent, 0, "DMS.00400070",
			"400 Bad Request: Invalid task ID format.",
		},
		{"401", refuse(401, "DMS.10240102", "Token expired."), permanent, 0, "DMS.10240102", "401 Unauthorized"},
		{
			"403", refuse(403, "DMS.00403002", "No permission."), permanent, 0, "DMS.00403002",
			"403 Forbidden, this needs the permission dms:instance:getBackgroundTask: No permission. (DMS.00403002, request id ",
		},
		{"403, HTML", respond(403, page), permanent, 0, "", "403 Forbidden (request id "},
		{
			"403, a page with a title", respond(403, titled), permanent, 0, "",
			`403 Forbidden: a page, "Blocked by policy", and no answer of the service (request id `,
		},
		{
			"403, JSON of a proxy", respond(403, `{"code":"denied","message":"Blocked by policy."}`), permanent, 0, "denied",
			"403 Forbidden: Blocked by policy. (denied, request id ",
		},
		{
			"404, no such route", refuse(404, "DMS.00404001", "The requested URL does not exist."), permanent, 0, "DMS.00404001",
			"404 Not Found",
		},
		{"405", respond(405, ""), permanent, 0, "", "405 Method Not Allowed"},
		{"409", respond(409, ""), transient, 0, "", "409 Conflict"},
		{"421", respond(421, ""), transient, 0, "", "421 Misdirected Request"},
		{"423", respond(423, ""), transient, 0, "", "423 Locked"},
		{"425", respond(425, ""), transient, 0, "", "425 Too Early"},
		{"499", respond(499, ""), transient, 0, "", "status 499"},
		{"404", respond(404, ""), transient, 0, "", "404 Not Found"},
		{"404, HTML", respond(404, page), transient, 0, "", "404 Not Found"},
		{
			"404, a page that quotes an error", respond(404, `<pre>{"error_code":"DMS.00404033","error_msg":"No task."}</pre>`),
			transient, 0, "", "404 Not Found",
		},
		{
			"404, a page with a title", respond(404, titled), transient, 0, "",
			`404 Not Found: a page, "Blocked by policy", and no answer of the service`,
		},
		{
			"404, JSON of a proxy", respond(404, `{"message":"no Route matched with those values"}`), transient, 0, "",
			"404 Not Found: no Route matched with those values",
		},
		{
			"404, a proxy's code", respond(404, `{"code":"not_found","message":"No such route."}`), transient, 0, "not_found",
			"404 Not Found: No such route.",
		},
		{
			"404, a code with a number", respond(404, `{"code":404,"message":"Not found"}`), transient, 0, "",
			"404 Not Found: Not found",
		},
		{
			"404, a task", refuse(404, "DMS.00404033", "This task does not exist."), missing, 0, "DMS.00404033",
			"404 Not Found: This task does not exist.",
		},
		{
			"404, no such instance", refuse(404, "DMS.00404022", "This instance does not exist."), missing, 0, "DMS.00404022",
			`instance "kafka-1" does not exist: 404 Not Found: This instance does not exist. (DMS.00404022, request id `,
		},

		{
			"200, an error", respond(200, `{"error_code":"DMS.00500000","error_msg":"Internal error.","request_id":"7d1f"}`),
			transient, 0, "DMS.00500000", "200 OK: an error: Internal error. (DMS.00500000, request id ",
		},
		{
			"200, an error one level down", respond(200, `{"error":{"code":"DMS.1","message":"inner"}}`), transient, 0, "DMS.1",
			"200 OK: an error: inner",
		},
		{
			"200, a throttle", respond(200, `{"error_code":"APIGW.0308","error_msg":"over ratelimit,limit:5,time:10 second"}`),
			throttled, 10 * time.Second, "APIGW.0308", "200 OK: an error: over ratelimit",
		},
		{
			"200, no such instance", respond(200, `{"error_code":"DMS.00404022","error_msg":"This instance does not exist."}`),
			transient, 0, "DMS.00404022", "200 OK: an error: This instance does not exist.",
		},
		{
			"200, an error beside no tasks", respond(200, `{"tasks":[],"error_code":"DMS.1","error_msg":"none"}`), transient, 0,
			"DMS.1", "200 OK: an error: none (DMS.1, request id ",
		},
		{
			"200, a code in the params", respond(200, `{"tasks":[{"id":"t","params":"{\"error_code\":\"DMS.1\"}"}]}`), missing,
			0, "", "lists no task",
		},
		{
			"200, an error and much to say",
			respond(200, `{"error_code":"DMS.1","error_msg":"`+strings.Repeat("x", 5000)+password+`"}`), transient, 0, "DMS.1",
			"an error: xx",
		},
		{
			"404, a throttle's code without a message", respond(404, `{"error_code":"DMS.10240407"}`), throttled, 0,
			"DMS.10240407", "",
		},
		{
			"a code one level down", respond(400, `{"error":{"code":"DMS.1","message":"inner"}}`), permanent, 0, "DMS.1",
			"inner",
		},
		{
			"a code and a body", respond(400, `{"error_code":"DMS.1","password":"`+password+`"}`), permanent, 0, "DMS.1",
			"400 Bad Request",
		},
		{"a long message", refuse(400, "DMS.1", strings.Repeat("long ", 100)+password), permanent, 0, "DMS.1", "long long"},
		{"control characters", refuse(400, "DMS.1", "red \x1b[31m\n"), permanent, 0, "DMS.1", `red \x1b[31m\n`},

		{"not listed", fakekafka.NotListed(), missing, 0, "", "the instance lists no task with this id"},
		{"other ids", fakekafka.WrongID(), missing, 0, "", "lists no task"},
		{"a row without an id", respond(200, `{"tasks":[{"status":"SUCCESS"}]}`), missing, 0, "", "lists no task"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				id := cloud.AddTask("kafka-1", fakekafka.Script{Params: password})
				cloud.Inject(fakekafka.RouteShowTask, tt.fault)
				_, err := kafkatasks.New(shortClient(t, cloud), "kafka-1").Task(t.Context(), id)
				var q *taskwait.QueryError
				if !errors.As(err, &q) {
					t.Fatalf("error = %v, want a *QueryError", err)
				}
				if q.Class != tt.class || q.RetryAfter != tt.after || q.Code != tt.code || !strings.Contains(q.Error(), tt.text) {
					t.Errorf("%v, after %v, code %q: %v\nwant %v, after %v, code %q: …%s…", q.Class, q.RetryAfter, q.Code, q, tt.class,
						tt.after, tt.code, tt.text)
				}
				if wantID := strings.HasPrefix(tt.text, "4") || strings.HasPrefix(tt.text, "5"); wantID && q.RequestID == "" {
					t.Errorf("no request id in %#v", q)
				}
				checkSilent(t, err)
			})
		})
	}
}

// cut answers with a status and a body that breaks off.
type cut struct {
	status int
	header http.Header
}

func (c cut) RoundTrip(*http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(`{"error_code":`), iotest.ErrReader(io.ErrUnexpectedEOF))
	return &http.Response{StatusCode: c.status, Header: c.header, Body: io.NopCloser(body)}, nil
}

// TestClassifyCutOff: the status comes first, and what is in the headers; but of a 404 only the body tells what it
// means.
func TestClassifyCutOff(t *testing.T) {
	for _, tt := range []struct {
		status int
		class  taskwait.Class
	}{
		{200, taskwait.ClassTransient},
		{400, taskwait.ClassPermanent},
		{403, taskwait.ClassThrottled}, // with a Retry-After
		{404, taskwait.ClassTransient},
		{429, taskwait.ClassThrottled},
		{503, taskwait.ClassThrottled},
	} {
		client := newClient(t, fakekafka.New())
		wire := cut{tt.status, http.Header{"Retry-After": {"60"}, "X-Request-Id": {"7d1f"}}}
		hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").
			WithCredential(client.HcClient.GetCredential()).
			WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(wire)).SafeBuild()
		if err != nil {
			t.Fatal(err)
		}
		var q *taskwait.QueryError
		_, err = kafkatasks.New(kafka.NewKafkaClient(hc), "kafka-1").Task(t.Context(), "task")
		if !errors.As(err, &q) || q.Class != tt.class || q.Class == taskwait.ClassThrottled &&
			(q.RetryAfter != time.Minute || q.RequestID != "7d1f") {
			t.Errorf("%d, cut off: %v, want %v", tt.status, err, tt.class)
		}
	}
}

// odd are round trippers that break the rules.
type odd func() *http.Response

func (o odd) RoundTrip(*http.Request) (*http.Response, error) { return o(), nil }

// TestOddTransports: a client's own transport may leave out what http.Client fills in.
func TestOddTransports(t *testing.T) {
	for name, wire := range map[string]odd{
		"no answer": func() *http.Response { return nil },
		"no body":   func() *http.Response { return &http.Response{StatusCode: http.StatusServiceUnavailable} },
	} {
		client := newClient(t, fakekafka.New())
		hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").
			WithCredential(client.HcClient.GetCredential()).
			WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(wire)).SafeBuild()
		if err != nil {
			t.Fatal(err)
		}
		var q *taskwait.QueryError
		if _, err = kafkatasks.New(kafka.NewKafkaClient(hc), "kafka-1").Task(t.Context(), "task"); !errors.As(err, &q) ||
			q.Class != taskwait.ClassTransient {
			t.Errorf("%s: %v, want a transient error", name, err)
		}
	}
}

// TestMalformedEndpoint: asking again cannot help.
func TestMalformedEndpoint(t *testing.T) {
	client := newClient(t, fakekafka.New())
	hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://::bad").WithCredential(client.HcClient.GetCredential()).
		SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	var q *taskwait.QueryError
	if _, err = kafkatasks.New(kafka.NewKafkaClient(hc), "kafka-1").Task(t.Context(), "task"); !errors.As(err, &q) ||
		q.Class != taskwait.ClassPermanent {
		t.Errorf("error = %v, want a permanent one", err)
	}
}

// shortClient is a client whose own timeout is 20 s.
func shortClient(t *testing.T, cloud *fakekafka.Cloud) *kafka.KafkaClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(fakecloud.DefaultAccessKey).WithSk(fakecloud.DefaultSecretKey).
		WithProjectId(fakecloud.DefaultProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithTimeout(20 * time.Second).WithHttpRoundTripper(cloud.Transport())).
		SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return kafka.NewKafkaClient(client)
}

// checkSilent fails the test if an error shows a secret or a whole body, in whatever way it is printed.
func checkSilent(t *testing.T, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	shown := string(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		shown += fmt.Sprintf(verb, v)
	}
	for _, secret := range []string{
		password, fmt.Sprintf("%x", password), "<html>", fakecloud.DefaultSecretKey, "Signature=", "\x1b",
	} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is in %s", secret, shown)
		}
	}
}

// TestClassifyReaches checks that the SDK's own errors can still be asked for, and that the wait tells whose timeout
// it was.
func TestClassifyReaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := fakekafka.New()
		id := cloud.AddTask("kafka-1", fakekafka.Script{})
		src := kafkatasks.New(shortClient(t, cloud), "kafka-1")
		cloud.Inject(fakekafka.RouteShowTask, fakecloud.Error(400, "DMS.1", "bad"), fakecloud.Drop())
		var service *sdkerr.ServiceResponseError
		if _, err := src.Task(t.Context(), id); !errors.As(err, &service) || service.ErrorCode != "DMS.1" {
			t.Errorf("the SDK's error is out of reach in %v", err)
		}
		var network *url.Error
		if _, err := src.Task(t.Context(), id); !errors.As(err, &network) {
			t.Errorf("the network's error is out of reach in %v", err)
		}
		cloud.Inject(fakekafka.RouteShowTask, fakecloud.Hang().For(time.Hour))
		w, err := taskwait.New(src, taskwait.WithErrorTolerance(0))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.WaitForTask(t.Context(), id)
		if !errors.Is(err, taskwait.ErrQuery) || errors.Is(err, context.DeadlineExceeded) ||
			errors.Is(err, taskwait.ErrTimeout) {
			t.Errorf("the client's own timeout: %v, want ErrQuery and no deadline of ours", err)
		}
	})
}

// TestClassifyContext: when the context has ended its error comes back, exactly, and at that instant.
func TestClassifyContext(t *testing.T) {
	for name, fault := range map[string]fakecloud.Fault{
		"hang": fakecloud.Hang(), "stall": fakecloud.Stall(), "slow": fakecloud.Slow(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				id := cloud.AddTask("kafka-1", fakekafka.Script{})
				cloud.Inject(fakekafka.RouteShowTask, fault)
				ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
				defer cancel()
				start := time.Now()
				_, err := kafkatasks.New(shortClient(t, cloud), "kafka-1").Task(ctx, id)
				if took := time.Since(start); err != context.DeadlineExceeded || took != 7*time.Second {
					t.Errorf("error = %v after %v, want the context's after 7s", err, took)
				}
				if _, err = kafkatasks.New(shortClient(t, cloud), "kafka-1").Task(ctx, id); err != context.DeadlineExceeded ||
					len(cloud.Requests()) > 1 {
					t.Errorf("with a dead context: %v after %d requests, want the context's and none more", err, len(cloud.Requests()))
				}
			})
		})
	}
}

// TestNotBuilt: a request that cannot even be built is not sent again and again.
func TestNotBuilt(t *testing.T) {
	cloud := fakekafka.New()
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").
		WithCredential(&auth.BasicCredentials{ProjectId: "p"}).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(cloud.Transport())).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	var q *taskwait.QueryError
	_, err = kafkatasks.New(kafka.NewKafkaClient(client), "kafka-1").Task(t.Context(), "task")
	if !errors.As(err, &q) || q.Class != taskwait.ClassPermanent || !strings.Contains(err.Error(), "ak is required") ||
		len(cloud.Requests()) != 0 {
		t.Errorf("error = %v after %d requests, want a permanent one that names the key, after none", err,
			len(cloud.Requests()))
	}
}

// deafBody is a transport whose answers hang in the body and heed nothing but Close.
type deafBody struct{ closed chan struct{} }

func (d *deafBody) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: d}, nil
}
func (d *deafBody) Read([]byte) (int, error) { <-d.closed; return 0, errors.New("closed") }
func (d *deafBody) Close() error {
	select {
	case <-d.closed:
	default:
		close(d.closed)
	}
	return nil
}

func TestDeafTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, fakekafka.New())
		cfg := config.DefaultHttpConfig().WithHttpRoundTripper(&deafBody{closed: make(chan struct{})})
		hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").
			WithCredential(client.HcClient.GetCredential()).WithHttpConfig(cfg).SafeBuild()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		start := time.Now()
		_, err = kafkatasks.New(kafka.NewKafkaClient(hc), "kafka-1").Task(ctx, "task")
		if took := time.Since(start); err != context.DeadlineExceeded || took != 7*time.Second {
			t.Errorf("error = %v after %v, want the context's after 7s", err, took)
		}
	})
}

// TestTaskRetryAfter: a good answer may say when to come again.
func TestTaskRetryAfter(t *testing.T) {
	client := newClient(t, fakekafka.New())
	wire := odd(func() *http.Response {
		body := io.NopCloser(strings.NewReader(`{"tasks":[{"id":"task","status":"EXECUTING"}]}`))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Retry-After": {"30"}}, Body: body}
	})
	hc, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").
		WithCredential(client.HcClient.GetCredential()).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(wire)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	task, err := kafkatasks.New(kafka.NewKafkaClient(hc), "kafka-1").Task(t.Context(), "task")
	if err != nil || task.RetryAfter != 30*time.Second || task.Status != taskwait.StatusExecuting {
		t.Errorf("%v, RetryAfter %v, %v; want EXECUTING and 30s", task, task.RetryAfter, err)
	}
}
