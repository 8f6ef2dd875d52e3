package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

var hostName = regexp.MustCompile(`^([A-Za-z0-9._-]+|[0-9A-Fa-f:.]+)$`)

// checkEndpoint gives the URL as it will be used: the SDK knows a scheme in lower case only, and drops everything
// behind the host.
func checkEndpoint(endpoint string) (string, error) {
	const example = "want a URL such as https://dms.eu-west-101.myhuaweicloud.eu"
	if strings.Contains(endpoint, "@") { // not shown: it may hold a password
		return "", errors.New("--endpoint has a user or a password in it, " + example)
	}
	fault := func(what string) (string, error) {
		return "", fmt.Errorf("--endpoint %s %s, %s", text.Quote(endpoint), what, example)
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return fault("is no URL")
	}
	port, portErr := strconv.ParseUint(cmp.Or(u.Port(), "443"), 10, 16)
	switch {
	case u.Scheme != "http" && u.Scheme != "https": // url.Parse has made it lower case
		return fault("does not begin with https://")
	case !hostName.MatchString(u.Hostname()):
		return fault("has no host")
	case portErr != nil || port == 0 || strings.HasSuffix(u.Host, ":"):
		return fault("has no valid port")
	case strings.Trim(u.Path, "/") != "":
		return fault("has a path, which the service does not")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(endpoint, "#"):
		return fault("has a query or a fragment")
	}
	return u.Scheme + "://" + u.Host, nil
}

const (
	idleTimeout      = 90 * time.Second // as http.DefaultTransport
	handshakeTimeout = 10 * time.Second // as http.DefaultTransport
)

// roundTripper reaches the network, through a proxy where the environment names one. It is the SDK's own transport but
// for the proxy, further authorities, and the limits on what is idle or hangs: HTTP/1.1, as a TLS config of its own
// implies.
func (s *env) roundTripper(endpoint string, roots *x509.CertPool) (http.RoundTripper, error) {
	if s.transport != nil {
		return s.transport, nil
	}
	if s.proxy != nil {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, endpoint, nil)
		var u *url.URL
		if err == nil {
			u, err = s.proxy(req)
		}
		if err != nil || u != nil && !isProxy(u) { // not shown: it may hold a password
			return nil, errors.New("the proxy of HTTPS_PROXY or HTTP_PROXY is no valid URL")
		}
	}
	return &http.Transport{
		Proxy: s.proxy, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		IdleConnTimeout: idleTimeout, TLSHandshakeTimeout: handshakeTimeout,
	}, nil
}

// isProxy reports whether a proxy can have this URL. http.ProxyFromEnvironment makes a path or a host of much that is
// none.
func isProxy(u *url.URL) bool {
	port, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16)
	return slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) &&
		hostName.MatchString(u.Hostname()) && err == nil && port > 0 && strings.Trim(u.Path, "/") == ""
}
