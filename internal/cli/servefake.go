package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/internal/text"
)

func (s *env) serveCommand() *cobra.Command {
	var file, host string
	var port uint16
	c := &cobra.Command{
		Use:   "serve-fake",
		Short: "Serve the embedded cloud on a port, for tests of other tools",
		Long: `Serve the embedded cloud on a loopback port until Ctrl-C, for tests of tools in
any language. It speaks the real HTTP API of DMS for Kafka and of the jobs of
other services, and verifies signatures. It prints the environment variables
that taskwait and the SDKs need. Its tasks and faults come from a script, a YAML
file:

` + scriptExample,
		Example: `  taskwait serve-fake --script cloud.yaml
  taskwait serve-fake --port 8080`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.serve(c.Context(), file, host, port) },
	}
	c.Flags().StringVar(&file, "script", "", "the script; without it the cloud has an instance kafka-1 and no tasks")
	c.Flags().StringVar(&host, "listen", loopback,
		"the address to listen on, with or without a port; any other than loopback is open to the network")
	c.Flags().Uint16Var(&port, "port", 0, "the port; 0: any free port")
	c.ValidArgsFunction = cobra.NoFileCompletions
	_ = c.MarkFlagFilename("script", "yaml", "yml", "json")
	return c
}

const (
	serveInstance = "kafka-1"
	loopback      = "127.0.0.1"
)

func (s *env) serve(ctx context.Context, file, host string, port uint16) error {
	script := &cloudScript{}
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("--script: %w", err)
		}
		if script, err = parseScript(text); err != nil {
			return fmt.Errorf("--script %s: %w", file, err)
		}
	}
	cloud, instance, err := script.cloud()
	if err != nil {
		return fmt.Errorf("--script %s: %w", file, err)
	}
	address, err := tcpAddress(host, port)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return &exitError{codeUnknown, fmt.Errorf("--listen and --port: %w", err)}
	}
	url := "http://" + listener.Addr().String()
	if at, ok := listener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		s.hint("everybody who reaches this machine can use the fake cloud: its keys are no secret")
		if at.IP.IsUnspecified() {
			url = fmt.Sprintf("http://%s:%d", loopback, at.Port)
		}
	}
	s.announce(ctx, script, instance, url)
	if s.out.broken() { // nobody would know where it serves
		return &exitError{codeOutput, listener.Close()}
	}
	return serveUntil(ctx, cloud, listener)
}

// tcpAddress joins --listen, an address that may have a port, and --port.
func tcpAddress(host string, port uint16) (string, error) {
	if h, p, err := net.SplitHostPort(host); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		switch {
		case err != nil:
			return "", fmt.Errorf("--listen %s has no valid port", text.Quote(host))
		case port != 0:
			return "", errors.New("give the port with --listen or with --port, not both")
		}
		host, port = h, uint16(n)
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host != "" && !hostName.MatchString(host) {
		return "", fmt.Errorf("--listen %s is no address", text.Quote(host))
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port))), nil
}

// announce prints what a shell needs to know.
func (s *env) announce(ctx context.Context, script *cloudScript, instance, url string) {
	variables := cloudVariables(instance, url)
	for name, value := range map[string]string{
		sdkPrefix + "AK": script.AccessKey, sdkPrefix + "SK": script.SecretKey, projectName: script.Project,
		sdkPrefix + "SECURITY_TOKEN": script.SecurityToken,
	} {
		if value != "" {
			variables[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		s.out.put(ctx, fmt.Appendf(nil, "export %s=%s\n", name, quote(variables[name])))
	}
	s.note(ctx, fmt.Sprintf("serving %s, until Ctrl-C", url))
}

// serveUntil serves until a signal ends ctx.
func serveUntil(ctx context.Context, cloud *fakekafka.Cloud, listener net.Listener) error {
	server := &http.Server{
		Handler: cloud, ReadHeaderTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx }, // so that answers that hang end too
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }() // ends with Close
	select {
	case err := <-done:
		return &exitError{codeUnknown, err}
	case <-ctx.Done():
	}
	err := server.Close()
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	code := codeOK
	if signal, ok := stoppedBy(ctx); ok {
		code = signal.code()
	}
	return &exitError{code, err}
}
