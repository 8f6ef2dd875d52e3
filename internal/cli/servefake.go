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
	"time"

	"github.com/spf13/cobra"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

func (s *System) serveCommand() *cobra.Command {
	var file string
	var port uint16
	c := &cobra.Command{
		Use:   "serve-fake",
		Short: "Serve the embedded cloud on a loopback port, for tests of other tools",
		Long: `Serve the embedded cloud on a loopback port, for tests of other tools in whatever language, until Ctrl-C. It speaks the
real HTTP API of DMS for Kafka and verifies signatures. It prints the environment variables by which taskwait and the
SDKs reach it. What tasks there are, and what goes wrong, is in a script, a YAML file:

` + scriptExample,
		Example: `  taskwait serve-fake --script cloud.yaml
  taskwait serve-fake --port 8080`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.serve(c.Context(), file, port) },
	}
	c.Flags().StringVar(&file, "script", "", "the script; without one there is an instance kafka-1 without tasks")
	c.Flags().Uint16Var(&port, "port", 0, "the port; 0: any that is free")
	_ = c.MarkFlagFilename("script", "yaml", "yml", "json")
	return c
}

const serveInstance = "kafka-1"

func (s *System) serve(ctx context.Context, file string, port uint16) error {
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
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return &exitError{codeNoAnswer, fmt.Errorf("--port: %w", err)}
	}
	s.announce(script, instance, "http://"+listener.Addr().String())
	return serveUntil(ctx, cloud, listener)
}

// announce prints what a shell needs to know.
func (s *System) announce(script *cloudScript, instance, url string) {
	variables := cloudVariables(instance, url)
	if script.SecurityToken != "" {
		variables[sdkPrefix+"SECURITY_TOKEN"] = script.SecurityToken
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(s.Stdout, "export %s=%s\n", name, quote(variables[name]))
	}
	fmt.Fprintf(s.Stderr, "taskwait: serving %s, until Ctrl-C\n", url)
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
		return &exitError{codeNoAnswer, err}
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
