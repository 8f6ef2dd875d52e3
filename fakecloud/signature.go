package fakecloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm   = "SDK-HMAC-SHA256"
	dateHeader  = "X-Sdk-Date"
	dateFormat  = "20060102T150405Z"
	tokenHeader = "X-Security-Token"
	hashHeader  = "X-Sdk-Content-Sha256"
	unsigned    = "UNSIGNED-PAYLOAD" // in hashHeader: the body is not signed

	// maxSkew is how far a signature's date may be from the gateway's clock.
	maxSkew = 15 * time.Minute
)

// verify checks the signature of a request, and says what is wrong with it. The algorithm is SDK-HMAC-SHA256 ("API
// Request Signing Guide", AK/SK Signing and Authentication Algorithm): a MAC with the secret key over the date and a
// hash of method, path, query, the signed headers and the body. X-Sdk-Date must be among the signed headers; the choice
// of the others is the client's.
func (g *Gateway) verify(e *Exchange) (problem string) {
	h := e.req.Header
	if len(h.Values("Authorization")) == 0 && h.Get(iamTokenHeader) != "" {
		return g.verifyToken(h.Get(iamTokenHeader))
	}
	auth, ok := parseAuthorization(h.Values("Authorization"))
	if !ok {
		return "the Authorization header is missing or malformed"
	}
	if auth.access != g.accessKey {
		return "Get secretKey failed,err:ak not exist" // the real one names the key
	}
	if problem := checkDate(&auth, h.Values(dateHeader), e.Clock(e.Now)); problem != "" {
		return problem
	}
	// The token need not be signed: golangsdk, the SDK of the Terraform provider, adds it after signing.
	if h.Get(tokenHeader) != g.token {
		return "decrypt token fail"
	}
	if want := h.Get(hashHeader); want != "" && want != unsigned && want != hash(e.Body) {
		return hashHeader + " is not that of the body"
	}
	if !hmac.Equal([]byte(auth.sign(g.secretKey, e.canonical(auth.headers, nil))), []byte(auth.signature)) {
		// As the real gateway does, so that somebody who writes a signer finds the difference.
		return "verify aksk signature fail, canonicalRequest:" +
			strings.ReplaceAll(e.canonical(auth.headers, secret), "\n", "|")
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
	date      string // from its own header
}

func (a *authorization) signs(header string) bool {
	return slices.Contains(a.headers, strings.ToLower(header))
}

// parseAuthorization reads the one Authorization header that there must be. Each part is there once, in any order.
func parseAuthorization(values []string) (a authorization, ok bool) {
	if len(values) != 1 {
		return a, false
	}
	rest, ok := strings.CutPrefix(values[0], algorithm+" ")
	if !ok {
		return a, false
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := parts[key]; twice || value == "" {
			return a, false
		}
		parts[key] = value
	}
	a.access, a.signature = parts["Access"], parts["Signature"]
	a.headers = strings.Split(strings.ToLower(parts["SignedHeaders"]), ";")
	named := a.access != "" && a.signature != "" && !slices.Contains(a.headers, "")
	return a, named && len(parts) == 3
}

// checkDate reads the one date that there must be.
func checkDate(a *authorization, values []string, now time.Time) (problem string) {
	if len(values) != 1 || !a.signs(dateHeader) {
		return dateHeader + " is missing or not signed"
	}
	a.date = values[0]
	date, err := time.Parse(dateFormat, a.date)
	if err != nil || date.Format(dateFormat) != a.date { // Parse is not strict: it takes fractions of a second
		return dateHeader + " is malformed"
	}
	if date.Sub(now).Abs() > maxSkew {
		return "signature expired, the time here is " + now.Format(dateFormat)
	}
	return ""
}

func (a *authorization) sign(key, canonical string) string {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\n%s\n%s", algorithm, a.date, hash([]byte(canonical)))
	return hex.EncodeToString(mac.Sum(nil))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// canonical is the one text that both sides make of a request, without the values of the hidden headers.
func (e *Exchange) canonical(signed, hidden []string) string {
	content := e.req.Header.Get(hashHeader)
	if content == "" {
		content = hash(e.Body)
	}
	return strings.Join([]string{
		e.req.Method, canonicalPath(segments(e.req.URL)), canonicalQuery(e.Query),
		canonicalHeaders(e.req, signed, hidden), strings.Join(signed, ";"), content,
	}, "\n")
}

func canonicalHeaders(r *http.Request, signed, hidden []string) string {
	var b strings.Builder
	for _, name := range signed {
		values := slices.Clone(r.Header.Values(name))
		switch {
		case name == "host": // net/http keeps these two elsewhere
			values = []string{r.Host}
		case name == "content-length" && values == nil && r.ContentLength >= 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		for i, v := range values {
			values[i] = strings.TrimSpace(v)
		}
		slices.Sort(values)
		for _, v := range values {
			if slices.Contains(hidden, http.CanonicalHeaderKey(name)) {
				v = "***"
			}
			b.WriteString(name + ":" + v + "\n")
		}
	}
	return b.String()
}

// canonicalPath escapes each segment on its own, and ends in a slash.
func canonicalPath(segments []string) string {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = escape(s)
	}
	return strings.TrimSuffix(strings.Join(escaped, "/"), "/") + "/"
}

// canonicalQuery sorts by name, and then by value.
func canonicalQuery(query map[string][]string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(query)) { // before escaping: the order differs after it
		for _, v := range slices.Sorted(slices.Values(query[k])) {
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
