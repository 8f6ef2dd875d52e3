package cli

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/debugpage"
	"github.com/taskwait/taskwait/internal/text"
)

const debugPath = "/debug/waits"

// debugServer shows the waits of the command on a page.
type debugServer struct {
	listener net.Listener
	url      string
	warning  string // that it is open to the network; empty: it is not
}

// debugAddress is the address of --debug-listen. Without a host it is one of loopback.
func debugAddress(address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if host == "" || host == "localhost" {
		host = loopback
	}
	ip, badIP := netip.ParseAddr(host)
	n, badPort := strconv.ParseUint(port, 10, 16)
	if err != nil || badIP != nil || badPort != nil {
		return netip.AddrPort{}, fmt.Errorf(
			"--debug-listen %s, want an address and a port, such as %s:6060; port 0: any that is free",
			text.Quote(address), loopback)
	}
	return netip.AddrPortFrom(ip, uint16(n)), nil
}

// listenDebug listens on the address of --debug-listen; nil: there is none.
func listenDebug(given string) (*debugServer, error) {
	if given == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	address, err := debugAddress(given)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address.String())
	if err != nil {
		return nil, fmt.Errorf("--debug-listen: %w", err)
	}
	d := &debugServer{listener: l, url: "http://" + l.Addr().String() + debugPath}
	if !address.Addr().IsLoopback() {
		d.warning = "everybody who reaches this machine can see the waits: use an address of loopback"
	}
	return d, nil
}

// announce says where the page is.
func (d *debugServer) announce(hint func(string)) {
	if d == nil {
		return
	}
	if hint("the waits are shown on " + d.url); d.warning != "" {
		hint(d.warning)
	}
}

// serve shows the waits of w until stop is called.
func (d *debugServer) serve(w *taskwait.Waiter) (stop func()) {
	if d == nil {
		return func() {}
	}
	mux := http.NewServeMux()
	mux.Handle(debugPath, debugpage.Handler(w))
	mux.Handle("/{$}", http.RedirectHandler(debugPath, http.StatusFound))
	server := &http.Server{Handler: byAddress(mux), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { // ends with Close
		defer close(done)
		_ = server.Serve(d.listener)
	}()
	return func() {
		_ = server.Close()
		<-done
	}
}

// close ends the listening, also where nothing was served.
func (d *debugServer) close() {
	if d != nil {
		_ = d.listener.Close()
	}
}

// byAddress refuses requests for a host name: somebody else's page, whose name has come to mean this machine, could
// read the answers.
func byAddress(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
			http.Error(w, "use the address, not the name of a host", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}
