package fakecloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	algorithm  = "SDK-HMAC-SHA256"
	dateHeader = "X-Sdk-Date"
	dateFormat = "20060102T150405Z"

	// maxSkew is how far a signature's date may be from the gateway's clock.
	maxSkew = 15 * time.Minute
)

// verify checks the signature of a request, and says what is wrong with it. The algorithm is Huawei Cloud's
// SDK-HMAC-SHA256 ("AK/SK Signing and Authentication Algorithm", API gateway documentation, read 2026-11-23): a MAC with
// the secret key over the date and a hash of method, path, query, the signed headers and the body.
func (c *Cloud) verify(r *http.Request, body []byte, now time.Time) (problem string) {
	auth, ok := parseAuthorization(r.Header.Get("Authorization"))
	if !ok {
		return "Authorization header is missing or malformed"
	}
	date, err := time.Parse(dateFormat, r.Header.Get(dateHeader))
	token := r.Header.Get("X-Security-Token")
	switch {
	case err != nil:
		return "X-Sdk-Date is missing or malformed"
	case date.Sub(now).Abs() > maxSkew:
		return "x-sdk-date is expired, request is " + date.Format(dateFormat) + ", server is " + now.Format(dateFormat)
	case !auth.signs(dateHeader):
		return "x-sdk-date is not signed"
	case auth.access != c.accessKey:
		return "the access key does not exist"
	case token != c.token:
		return "the security token is invalid"
	case token != "" && !auth.signs("X-Security-Token"):
		return "the security token is not signed"
	}
	if want := sign(c.secretKey, date, canonical(r, auth.headers, body)); subtle.ConstantTimeCompare([]byte(want), []byte(auth.signature)) != 1 {
		return "verify aksk signature fail"
	}
	return ""
}

// authorization is a header such as
//
//	SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=0123…
type authorization struct {
	access    string
	headers   []string // lower case
	signature string
}

func (a *authorization) signs(header string) bool {
	return slices.Contains(a.headers, strings.ToLower(header))
}

func parseAuthorization(s string) (a authorization, ok bool) {
	rest, ok := strings.CutPrefix(s, algorithm+" ")
	if !ok {
		return a, false
	}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "Access":
			a.access = value
		case "SignedHeaders":
			a.headers = strings.Split(strings.ToLower(value), ";")
		case "Signature":
			a.signature = value
		default:
			return a, false
		}
	}
	return a, a.access != "" && len(a.headers) > 0 && len(a.signature) == hex.EncodedLen(sha256.Size)
}

func sign(key string, date time.Time, canonical string) string {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\n%s\n%s", algorithm, date.Format(dateFormat), hash([]byte(canonical)))
	return hex.EncodeToString(mac.Sum(nil))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// canonical is the one text that both sides make of a request.
func canonical(r *http.Request, signed []string, body []byte) string {
	var headers strings.Builder
	for _, name := range signed {
		values := slices.Clone(r.Header.Values(name))
		if name == "host" {
			values = []string{r.Host}
		}
		slices.Sort(values)
		for _, v := range values {
			headers.WriteString(name + ":" + strings.TrimSpace(v) + "\n")
		}
	}
	content := r.Header.Get("X-Sdk-Content-Sha256")
	if content == "" {
		content = hash(body)
	}
	return strings.Join([]string{r.Method, canonicalPath(r.URL.Path), canonicalQuery(r), headers.String(), strings.Join(signed, ";"), content}, "\n")
}

func canonicalPath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.TrimSuffix(strings.Join(segments, "/"), "/") + "/"
}

func canonicalQuery(r *http.Request) string {
	query := r.URL.Query()
	keys := make([]string, 0, len(query))
	for k := range query {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var pairs []string
	for _, k := range keys {
		values := slices.Clone(query[k])
		slices.Sort(values)
		for _, v := range values {
			pairs = append(pairs, escape(k)+"="+escape(v))
		}
	}
	return strings.Join(pairs, "&")
}

// escape is RFC 3986's: everything but the unreserved characters.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
