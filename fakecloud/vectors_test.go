package fakecloud_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taskwait/taskwait/fakecloud"
)

// vectors are requests as two clients sign them that are not written in Go, or do not sign the host. Their signatures
// were computed apart, from the published algorithm, for the second at which time begins in a bubble.
//
// The Python SDK signs every header that it sends. golangsdk, which the Terraform provider uses, signs what is in the
// header of net/http's request, where the host is not, and adds the security token afterwards.
var vectors = []struct {
	name, method, path, body string
	headers                  []string // names and values
	signed, signature        string
	token                    string // added after the signature
}{
	{
		name: "Python, a query", method: "GET", path: jobsPath + "/1?name=a+b%2F%C3%BC~*&limit=10",
		headers: []string{
			"Content-Type", "application/json", "User-Agent", "huaweicloud-usdk-python/3.0", "X-Project-Id",
			fakecloud.DefaultProject,
		},
		signed:    "content-type;host;user-agent;x-project-id;x-sdk-date",
		signature: "703f6f3a7c8fd5a5b9f4e3343a9c871e96b3b8e179bd657d5a92c6f00264e9e4",
	},
	{
		name: "Python, a body", method: "POST", path: jobsPath, body: `{"name": "ü & co"}`,
		headers:   []string{"Content-Type", "application/json;charset=utf-8", "X-Project-Id", fakecloud.DefaultProject},
		signed:    "content-type;host;x-project-id;x-sdk-date",
		signature: "4348139e19557de6a2c202887702f18a42be3910c38ecb07581e5dcc9a0efc83",
	},
	{
		name: "golangsdk, a query", method: "GET", path: jobsPath + "/1?limit=10&start=11",
		headers: []string{"Accept", "application/json", "Content-Type", "application/json", "User-Agent",
			"golangsdk/2.0.0"},
		signed:    "accept;content-type;user-agent;x-sdk-date",
		signature: "f9e3ccf42641514cd6538802ab2f36ee2634c5adb3ef2676ca3e2c28ee0197cb",
	},
	{
		name: "golangsdk, a body and a token", method: "POST", path: jobsPath, body: `{"name":"a"}`, token: "temporary",
		headers: []string{"Accept", "application/json", "Content-Type", "application/json", "User-Agent",
			"golangsdk/2.0.0"},
		signed:    "accept;content-type;user-agent;x-sdk-date",
		signature: "8dd72598c0aa4ba0ac897bbbdbf7db09ef9b0dc4f03eeb7e7140c619243bb94e",
	},
}

// TestVectors lets each of them in, and nothing that differs from it.
func TestVectors(t *testing.T) {
	for _, v := range vectors {
		for _, tt := range []struct {
			name   string
			change func(*http.Request)
			ok     bool
		}{
			{"as it is", func(*http.Request) {}, true},
			{"another method", func(r *http.Request) { r.Method = http.MethodPut }, false},
			{"another query", func(r *http.Request) { r.URL.RawQuery += "&x=1" }, false},
			{"another signed header", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, false},
			{"another token", func(r *http.Request) { r.Header.Set("X-Security-Token", "other") }, false},
			{"another signature", func(r *http.Request) {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), v.signature[:4], "0000", 1))
			}, false},
		} {
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r, err := http.NewRequestWithContext(t.Context(), v.method, "https://jobs.fake"+v.path, strings.NewReader(v.body))
					if err != nil {
						t.Fatal(err)
					}
					for n := 0; n < len(v.headers); n += 2 {
						r.Header.Set(v.headers[n], v.headers[n+1])
					}
					r.Header.Set("X-Sdk-Date", "20000101T000000Z")
					r.Header.Set("Authorization", "SDK-HMAC-SHA256 Access="+fakecloud.DefaultAccessKey+
						", SignedHeaders="+v.signed+", Signature="+v.signature)
					if v.token != "" {
						r.Header.Set("X-Security-Token", v.token)
					}
					tt.change(r)
					resp, err := newJobs(fakecloud.WithSecurityToken(v.token)).Transport().RoundTrip(r)
					if err != nil {
						t.Fatal(err)
					}
					_ = resp.Body.Close()
					if got := resp.StatusCode != http.StatusUnauthorized; got != tt.ok {
						t.Errorf("status %d, want let in: %v", resp.StatusCode, tt.ok)
					}
				})
			})
		}
	}
}
