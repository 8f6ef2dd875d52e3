package cli

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/provider"
	"golang.org/x/term"
)

// Main runs the command in this process and returns its exit code. The first signal stops it with a summary, the second
// one at once.
func Main() int {
	// A reader that has gone, as in "taskwait … | head -1", must not end the process: the exit code is still wanted.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stopSignals()...)
	go func() { // for as long as the process lives
		cancel(signalError{<-signals})
		os.Exit(signalError{<-signals}.code())
	}()
	home, _ := os.UserHomeDir()   // "": without a credentials file
	cache, _ := os.UserCacheDir() // "": durations are not remembered
	e := &env{
		args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv,
		home: home, cache: cache, proxy: http.ProxyFromEnvironment, metadata: metadata,
		screen: newScreen(os.Stdout, os.Getenv),
	}
	if fd := int(os.Stderr.Fd()); term.IsTerminal(fd) { //nolint:gosec // a small number
		e.errColumns = func() int { return columnsOf(os.Stderr, os.Getenv) }
	}
	return e.run(ctx)
}

// stopSignals are the signals that stop the command. SIGHUP and SIGINT stay ignored where they were ignored when the
// process began: nohup, and "taskwait … &" in a script.
func stopSignals() (signals []os.Signal) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

func metadata(project string) (auth.ICredential, error) {
	c, err := (&provider.MetadataBasicCredentialProvider{ProjectId: project}).GetCredentials()
	if err != nil {
		return nil, errors.New("this machine has none") // the SDK's error may quote what it was sent
	}
	return c, nil
}
