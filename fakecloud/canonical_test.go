package fakecloud

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestCanonicalVector is the example of the "API Request Signing Guide" (Creating a Canonical Request; read
// 2026-11-23), which gives the text and its hash.
func TestCanonicalVector(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet,
		"https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"+
			"?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0", nil)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Sdk-Date", "20191115T033655Z")
	e := &Exchange{req: r, Query: r.URL.Query()}
	got := e.canonical([]string{"content-type", "host", "x-sdk-date"}, nil)
	want := `GET
/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/
limit=2&marker=13551d6b-755d-4757-b956-536f674975c0
content-type:application/json
host:service.region.example.com
x-sdk-date:20191115T033655Z

content-type;host;x-sdk-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := hash([]byte(got)), "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"; got != want {
		t.Errorf("hash = %s, want %s", got, want)
	}
}

func TestCanonicalParts(t *testing.T) {
	for _, tt := range []struct{ name, target, path, query string }{
		{"nothing", "/", "/", ""},
		{"a slash at the end", "/v2/a/", "/v2/a/", ""},
		{"two slashes", "/v2//a", "/v2//a/", ""},
		{"escapes, in capitals", "/v2/a%2fb/%c3%bc ~", "/v2/a%2Fb/%C3%BC%20~/", ""},
		{"sorted by name, then by value", "/?b=2&a=2&a=10&ab=1", "/", "a=10&a=2&ab=1&b=2"},
		{"escaped names and values", "/?x+y=%2B&z=%20*", "/", "x%20y=%2B&z=%20%2A"},
		{"without a value", "/?b&a=", "/", "a=&b="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.Parse(strings.ReplaceAll(tt.target, " ", "%20"))
			if err != nil {
				t.Fatal(err)
			}
			if got := canonicalPath(segments(u)); got != tt.path {
				t.Errorf("path = %s, want %s", got, tt.path)
			}
			if got := canonicalQuery(u.Query()); got != tt.query {
				t.Errorf("query = %s, want %s", got, tt.query)
			}
		})
	}
}

func TestCanonicalHeaders(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "https://host.fake/", strings.NewReader("{}"))
	r.Header["X-Several"] = []string{" b ", "a"}
	r.Header.Set("X-Security-Token", "hush")
	signed := []string{"content-length", "host", "x-missing", "x-security-token", "x-several"}
	got := canonicalHeaders(r, signed, secret)
	want := "content-length:2\nhost:host.fake\nx-security-token:***\nx-several:a\nx-several:b\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestParseAuthorization(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []string
		want   string // access, headers, signature; "": refused
	}{
		{
			"usual", []string{"SDK-HMAC-SHA256 Access=ak, SignedHeaders=host;x-sdk-date, Signature=00ff"},
			"ak host,x-sdk-date 00ff",
		},
		{
			"in another order, without spaces", []string{"SDK-HMAC-SHA256 Signature=00ff,SignedHeaders=X-Sdk-Date,Access=ak"},
			"ak x-sdk-date 00ff",
		},
		{"a key with an equals sign", []string{"SDK-HMAC-SHA256 Access=a=b, SignedHeaders=x, Signature=0"}, "a=b x 0"},
		{"none", nil, ""},
		{
			"two", []string{"SDK-HMAC-SHA256 Access=ak, SignedHeaders=x, Signature=0",
				"SDK-HMAC-SHA256 Access=ak, SignedHeaders=x, Signature=0"}, "",
		},
		{"empty", []string{""}, ""},
		{"the algorithm alone", []string{"SDK-HMAC-SHA256 "}, ""},
		{"another algorithm", []string{"SDK-HMAC-SM3 Access=ak, SignedHeaders=x, Signature=0"}, ""},
		{"a derived key", []string{"V11-HMAC-SHA256 Credential=ak/20260101/eu/kafka, SignedHeaders=x, Signature=0"}, ""},
		{"no access key", []string{"SDK-HMAC-SHA256 SignedHeaders=x, Signature=0"}, ""},
		{"an empty access key", []string{"SDK-HMAC-SHA256 Access=, SignedHeaders=x, Signature=0"}, ""},
		{"no headers", []string{"SDK-HMAC-SHA256 Access=ak, Signature=0"}, ""},
		{"a header without a name", []string{"SDK-HMAC-SHA256 Access=ak, SignedHeaders=x;, Signature=0"}, ""},
		{"no signature", []string{"SDK-HMAC-SHA256 Access=ak, SignedHeaders=x"}, ""},
		{"a part twice", []string{"SDK-HMAC-SHA256 Access=ak, Access=ak, SignedHeaders=x, Signature=0"}, ""},
		{"an unknown part", []string{"SDK-HMAC-SHA256 Access=ak, SignedHeaders=x, Signature=0, Admin=1"}, ""},
		{"commas", []string{"SDK-HMAC-SHA256 ,,,"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, ok := parseAuthorization(tt.values)
			got := strings.Join(slices.Concat([]string{a.access}, []string{strings.Join(a.headers, ",")},
				[]string{a.signature}), " ")
			if ok != (tt.want != "") || ok && got != tt.want {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}
