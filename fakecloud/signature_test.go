package fakecloud_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/taskwait/taskwait/fakecloud"
)

// letIn sends a request and tells whether it was let in, and the message if not.
func letIn(t *testing.T, cloud *fakecloud.Gateway, r *http.Request) (ok bool, message string) {
	t.Helper()
	resp, err := cloud.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var body struct {
		Code    string `json:"error_code"`
		Message string `json:"error_msg"`
		ID      string `json:"request_id"`
	}
	if resp.StatusCode != http.StatusUnauthorized {
		return true, ""
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	if body.Code != "APIGW.0301" || body.ID == "" || body.ID != resp.Header.Get("X-Request-Id") {
		t.Errorf("%+v, want APIGW.0301 and the request id %s", body, resp.Header.Get("X-Request-Id"))
	}
	return false, body.Message
}

// TestSignedHeaders is what clients choose to sign, in other languages too.
func TestSignedHeaders(t *testing.T) {
	set := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	tests := []struct {
		name   string
		before func(*http.Request)
		signed []string
		after  func(*http.Request)
		refuse string // "": let in
	}{
		{"the date alone", nil, []string{"x-sdk-date"}, nil, ""},
		{"date and host", nil, []string{"host", "x-sdk-date"}, nil, ""},
		{
			"the type of the content", set("Content-Type", "application/json"), []string{"content-type", "host", "x-sdk-date"},
			nil, "",
		},
		{"the length of the content", nil, []string{"content-length", "x-sdk-date"}, nil, ""},
		{"spaces around a value", set("X-One", "  1 "), nil, nil, ""},
		{"a header that is not there", nil, []string{"x-sdk-date"}, set("X-One", "1"), ""},
		{
			"the body's hash", set("X-Sdk-Content-Sha256", "e9cd4cd9e11fdb52ab60d2e4cd7ed4d0c9b6c9d1fb9e9e2b6bc9a0a3bd5b0dc7"),
			nil, nil, "X-Sdk-Content-Sha256 is not that of the body",
		},
		{"no hash of the body", set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"), []string{"x-sdk-date"}, nil, ""},
		{"not the date", set("X-One", "1"), []string{"host", "x-one"}, nil, "X-Sdk-Date is missing or not signed"},
		{
			"a date with a fraction", set("X-Sdk-Date", time.Now().UTC().Format("20060102T150405")+".5Z"), nil, nil,
			"X-Sdk-Date is malformed",
		},
		{
			"two dates", nil, nil, func(r *http.Request) { r.Header.Add("X-Sdk-Date", r.Header.Get("X-Sdk-Date")) },
			"X-Sdk-Date is missing or not signed",
		},
		{
			"a second value", set("X-One", "1"), nil, func(r *http.Request) { r.Header.Add("X-One", "1") },
			"verify aksk signature fail",
		},
		{
			"another host", nil, []string{"host", "x-sdk-date"}, func(r *http.Request) { r.Host = "other" },
			"verify aksk signature fail",
		},
		{
			"two signatures", nil, nil, func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) },
			"the Authorization header is missing or malformed",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRequest(t.Context(), t, "POST", strings.NewReader("{}"))
			r.Header.Set("Content-Length", "2")
			if tt.before != nil {
				tt.before(r)
			}
			sign(r, owner, "{}", tt.signed...)
			if tt.after != nil {
				tt.after(r)
			}
			if ok, message := letIn(t, newCloud(), r); ok != (tt.refuse == "") || !strings.Contains(message, tt.refuse) {
				t.Errorf("let in: %v, %q, want %q", ok, message, tt.refuse)
			}
		})
	}
}

// TestUnsignedPayload changes a body that is not signed, and one that is.
func TestUnsignedPayload(t *testing.T) {
	for _, tt := range []struct {
		name, hash string
		ok         bool
	}{{"signed", "", false}, {"not signed", "UNSIGNED-PAYLOAD", true}} {
		r := newRequest(t.Context(), t, "POST", strings.NewReader("tampered"))
		if tt.hash != "" {
			r.Header.Set("X-Sdk-Content-Sha256", tt.hash)
		}
		sign(r, owner, "{}")
		if ok, message := letIn(t, newCloud(), r); ok != tt.ok {
			t.Errorf("%s: let in: %v, %s, want %v", tt.name, ok, message, tt.ok)
		}
	}
}

// TestSignatureMessage: like the real gateway's, the message has the text that was to be signed, so that one finds
// what is wrong with a signer; but no token.
func TestSignatureMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud(fakecloud.WithSecurityToken("hush"))
		r := newRequest(t.Context(), t, "GET", nil)
		r.Header.Set("X-Security-Token", "hush")
		sign(r, account{ak: owner.ak, sk: "wrong"}, "")
		_, got := letIn(t, cloud, r)
		want := "Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:GET|" + r.URL.Path +
			"/||host:jobs.fake|x-sdk-date:20000101T000000Z|x-security-token:***||host;x-sdk-date;x-security-token|" +
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// TestSkew is exact: 15 minutes are well, a second more is not.
func TestSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			skew time.Duration
			ok   bool
		}{{15 * time.Minute, true}, {-15 * time.Minute, true}, {15*time.Minute + time.Second, false},
			{-15*time.Minute - time.Second, false}} {
			for name, cloud := range map[string]*fakecloud.Gateway{"option": newCloud(fakecloud.WithClockSkew(tt.skew)),
				"fault": newCloud()} {
				if name == "fault" {
					cloud.Inject(fakecloud.AnyRoute, fakecloud.ClockSkew(tt.skew))
				}
				r := newRequest(t.Context(), t, "GET", nil)
				sign(r, owner, "")
				resp, err := cloud.Transport().RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				date, err := http.ParseTime(resp.Header.Get("Date"))
				if got := resp.StatusCode == http.StatusOK; got != tt.ok || err != nil || !date.Equal(time.Now().Add(tt.skew)) {
					t.Errorf("%s %v: status %d, Date %v, want let in: %v", name, tt.skew, resp.StatusCode, date, tt.ok)
				}
			}
		}
	})
}

// TestSDKSigner lets the SDK sign paths, queries and bodies that no method of its client makes.
func TestSDKSigner(t *testing.T) {
	for _, tt := range []struct{ name, method, path, body string }{
		{"plain", "GET", "/instances/i/tasks/t", ""},
		{"a slash at the end", "GET", "/instances/i/tasks/", ""},
		{"nothing", "GET", "", ""},
		{"two slashes", "GET", "//p", ""},
		{"spaces and signs", "GET", "/a b/c+d/e&f=g;h,i/(j)/~-._/*!'", ""},
		{"percent signs", "GET", "/100%/%2F/%zz", ""},
		{"no ASCII", "GET", "/überall/日本", ""},
		{"question marks", "GET", "/a?b#c", ""},
		{"dots", "GET", "/../x/./y", ""},
		{"a body", "POST", "/x", `{"name":"<ü> & co"}`},
		{"delete", "DELETE", "/x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			builder := request.NewHttpRequestBuilder().WithEndpoint("https://jobs.fake").
				WithPath("/v1/"+owner.project+tt.path).WithMethod(tt.method).
				AddHeaderParam("X-Project-Id", "p").AddHeaderParam("Host", "jobs.fake").AddHeaderParam("X-Odd", " a  b ")
			if tt.body != "" {
				builder.WithBody("", tt.body)
			}
			sdk := builder.Build()
			headers, err := signer.Sign(sdk, owner.ak, owner.sk)
			if err != nil {
				t.Fatal(err)
			}
			r, err := sdk.ConvertRequest()
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range headers {
				r.Header.Set(k, v)
			}
			if ok, message := letIn(t, newCloud(), r); !ok {
				t.Errorf("refused: %s", message)
			}
		})
	}
}

// FuzzTampering changes a signed request: whatever is not the same any more is refused.
func FuzzTampering(f *testing.F) {
	f.Add("GET", "/jobs/1", "limit=10", "one", "{}", owner.ak)
	f.Add("DELETE", "/jobs/../1", "limit=10&limit=10", " one ", "{} ", "")
	f.Add("GET", "/jobs%2F1", "limit=10&%zz", "one\n", "", "x")
	f.Add("GET", "//jobs/1/", "&limit=10&", "ONE", "{}", owner.ak+",")
	f.Fuzz(func(t *testing.T, method, path, query, header, body, key string) {
		base := "https://jobs.fake/v1/" + owner.project
		signed, err := http.NewRequest(http.MethodGet, base+"/jobs/1?limit=10", nil)
		if err != nil {
			t.Fatal(err)
		}
		signed.Header.Set("X-One", "one")
		sign(signed, owner, "{}")
		r, err := http.NewRequest(method, base+path, strings.NewReader(body))
		if err != nil {
			return // no request
		}
		r.URL.RawQuery = query
		r.Header = signed.Header.Clone()
		r.Header.Set("X-One", header)
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), owner.ak, key, 1))
		resp, err := newCloud().Transport().RoundTrip(r)
		if err != nil {
			return // a target that cannot be sent
		}
		_ = resp.Body.Close()
		refused := resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusBadRequest
		same := r.Method == http.MethodGet && strings.TrimSuffix(r.URL.Path, "/") == signed.URL.Path && sameQuery(query) &&
			strings.TrimSpace(header) == "one" && body == "{}" && strings.TrimSpace(key) == owner.ak
		if !same && !refused {
			t.Errorf("%s %s with %q, %q, %q: status %d, want 401", method, r.URL, header, body, key, resp.StatusCode)
		}
	})
}

// sameQuery reports whether a query says limit=10, and nothing else.
func sameQuery(query string) bool {
	values, err := url.ParseQuery(query)
	return err == nil && values.Encode() == "limit=10"
}
