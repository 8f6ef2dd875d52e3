package cli

import (
	"crypto/x509"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait/internal/text"
)

// trustFlags say which certificates are trusted.
type trustFlags struct{ caFile string }

func (t *trustFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&t.caFile, "ca-file", "",
		"file with certificates (PEM) to trust beside those of the system")
}

// pool are the authorities that are trusted; nil: those of the system.
func (t *trustFlags) pool() (*x509.CertPool, error) {
	if t.caFile == "" {
		return nil, nil //nolint:nilnil // as in a TLS config
	}
	pem, err := os.ReadFile(t.caFile)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca-file %s holds no certificate, want PEM: -----BEGIN CERTIFICATE-----",
			text.Quote(t.caFile))
	}
	return roots, nil
}
