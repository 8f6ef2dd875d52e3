package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tofuVersion is the one that .ci-setup builds.
const tofuVersion = "v1.12.6"

var (
	terraform   string // the binary that everything here runs
	providerDir string // where the provider's binary is
)

// TestMain builds the provider, and finds a terraform or a tofu. There is no test here without one.
func TestMain(m *testing.M) {
	var err error
	if terraform, err = findTerraform(); err != nil {
		log.Fatal(err)
	}
	if providerDir, err = os.MkdirTemp("", "provider"); err != nil {
		log.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(providerDir, "terraform-provider-example"), ".")
	if text, err := build.CombinedOutput(); err != nil {
		log.Fatalf("%v\n%s", err, text)
	}
	_ = flag.Set("test.parallel", "8") // they wait more than they work; the command line wins
	code := m.Run()
	_ = os.RemoveAll(providerDir)
	os.Exit(code)
}

// findTerraform looks on PATH, and then where .ci-setup puts one.
func findTerraform() (string, error) {
	for _, name := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	text, err := exec.Command("go", "env", "GOCACHE", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	env := strings.Fields(string(text))
	built := filepath.Join(filepath.Dir(env[0]), "taskwait-ci", "tofu-"+tofuVersion+"-"+env[1], "tofu")
	if _, err := os.Stat(built); err != nil {
		return "", fmt.Errorf("these tests run a real terraform or tofu, and there is none on PATH, nor at %s: "+
			"install one, or run integrations/terraform/example/.ci-setup, which builds OpenTofu", built)
	}
	return built, nil
}
