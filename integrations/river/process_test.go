package riverwait_test

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.stop()
	os.Exit(code)
}
