// Package sign signs requests as a client does that has no SDK, for the tests of fakecloud.
package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request signs a request with a choice of headers; by default Host and what is set already. X-Sdk-Date is set unless
// it is there.
func Request(r *http.Request, accessKey, secretKey, body string, headers ...string) {
	sha := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	if r.Header.Get("X-Sdk-Date") == "" {
		r.Header.Set("X-Sdk-Date", time.Now().UTC().Format("20060102T150405Z"))
	}
	if len(headers) == 0 {
		headers = []string{"host"}
		for name := range r.Header {
			headers = append(headers, strings.ToLower(name))
		}
	}
	slices.Sort(headers)
	var lines string
	for _, name := range headers {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.URL.Host
		}
		lines += name + ":" + strings.TrimSpace(value) + "\n"
	}
	content := r.Header.Get("X-Sdk-Content-Sha256")
	if content == "" {
		content = sha(body)
	}
	path := r.URL.EscapedPath()
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	signed := strings.Join(headers, ";")
	canonical := strings.Join([]string{r.Method, path, sorted(r.URL.RawQuery), lines, signed, content}, "\n")
	mac := hmac.New(sha256.New, []byte(secretKey))
	mac.Write([]byte("SDK-HMAC-SHA256\n" + r.Header.Get("X-Sdk-Date") + "\n" + sha(canonical)))
	r.Header.Set("Authorization",
		"SDK-HMAC-SHA256 Access="+accessKey+", SignedHeaders="+signed+", Signature="+hex.EncodeToString(mac.Sum(nil)))
}

// sorted is a query as it is signed. What cannot be read stays as it is.
func sorted(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	for _, v := range values {
		slices.Sort(v)
	}
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}
