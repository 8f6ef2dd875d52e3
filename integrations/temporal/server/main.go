// Command server is a Temporal server in memory, for the tests in ../servertest. It is a module of its own: it takes 16
// minutes of one core to compile, and its release needs an older API than that of the SDK.
//
// It prints its address and its namespace, and ends with its standard input.
package main

import (
	"fmt"
	"io"
	"os"

	"go.temporal.io/server/temporaltest"
)

func main() {
	s := temporaltest.NewServer()
	fmt.Println(s.GetFrontendHostPort(), s.GetDefaultNamespace())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
