package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/provider"
)

// Main runs the command in this process and returns its exit code. The first Ctrl-C or SIGTERM stops it with a summary, the
// second at once.
func Main() int {
	// A reader that is gone, as of "taskwait … | head -1", is no reason to die: the exit code is what the caller is after.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // for as long as the process lives
		cancel(Signal{<-signals})
		os.Exit(Signal{<-signals}.code())
	}()
	home, _ := os.UserHomeDir()   // "": without a credentials file
	cache, _ := os.UserCacheDir() // "": durations are not remembered
	s := &System{
		Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Home: home, Cache: cache,
		Metadata: metadata,
	}
	if canDraw() {
		s.Live = func(view func(columns, rows int) []string) func() { return draw(os.Stdout, view) }
	}
	return s.Run(ctx)
}

func metadata(project string) (auth.ICredential, error) {
	c, err := (&provider.MetadataBasicCredentialProvider{ProjectId: project}).GetCredentials()
	if err != nil {
		return nil, errors.New("this machine has none") // the SDK's error may quote what it was sent
	}
	return c, nil
}
