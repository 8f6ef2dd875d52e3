package riverwait_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// engine is a database that River works in.
type engine[TTx any] struct {
	name, dsn string
	driver    riverdriver.Driver[TTx]
	begin     func(context.Context) (TTx, error)
	commit    func(TTx) error
	rollback  func(TTx) error
	close     func()
}

// onSQLite makes an engine of a new file.
func onSQLite(t testing.TB) *engine[*sql.Tx] {
	t.Helper()
	dsn := "file:" + filepath.Join(t.TempDir(), "river.db") +
		"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_txlock=immediate"
	e, err := openSQLite(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	migrate(t, e.driver)
	return e
}

func openSQLite(dsn string) (*engine[*sql.Tx], error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // as the driver wants it
	return &engine[*sql.Tx]{
		name: "sqlite", dsn: dsn, driver: riversqlite.New(db),
		begin:    func(ctx context.Context) (*sql.Tx, error) { return db.BeginTx(ctx, nil) },
		commit:   (*sql.Tx).Commit,
		rollback: (*sql.Tx).Rollback,
		close:    func() { _ = db.Close() },
	}, nil
}

// databases counts those of the Postgres server.
var databases atomic.Int32

// onPostgres makes an engine of a new database.
func onPostgres(t testing.TB) *engine[pgx.Tx] {
	t.Helper()
	dir, err := postgres.running()
	if err != nil {
		t.Fatal(err)
	}
	dsn := "host=" + dir + " user=postgres dbname="
	name := "waits" + strconv.Itoa(int(databases.Add(1)))
	admin, err := pgx.Connect(t.Context(), dsn+"postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(t.Context()) }()
	if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	e, err := openPostgres(dsn + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	migrate(t, e.driver)
	return e
}

func openPostgres(dsn string) (*engine[pgx.Tx], error) {
	pool, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		return nil, err
	}
	return &engine[pgx.Tx]{
		name: "postgres", dsn: dsn, driver: riverpgxv5.New(pool),
		begin:    pool.Begin,
		commit:   func(tx pgx.Tx) error { return tx.Commit(context.Background()) },
		rollback: func(tx pgx.Tx) error { return tx.Rollback(context.Background()) },
		close:    pool.Close,
	}, nil
}

func migrate[TTx any](t testing.TB, driver riverdriver.Driver[TTx]) {
	t.Helper()
	m, err := rivermigrate.New(driver, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Migrate(context.Background(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
}

// postgres is the server of these tests, begun when it is needed.
var postgres server

// server is a Postgres in a directory of its own, which listens there alone.
type server struct {
	once  sync.Once
	dir   string
	err   error
	alive io.Closer // it ends when this is closed, also by the end of this process
	cmd   *exec.Cmd
}

func (s *server) running() (dir string, err error) {
	s.once.Do(func() { s.err = s.start() })
	return s.dir, s.err
}

func (s *server) start() error {
	bin, err := postgresBin()
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return err
	}
	as, err := notRoot(s.dir)
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync",
		"-E", "UTF8", "--locale=C")
	initdb.SysProcAttr, initdb.Dir = as, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s.cmd = exec.Command("sh", "-c", `"$0" "$@" >log 2>&1 & cat; kill -INT $!; wait`, filepath.Join(bin, "postgres"),
		"-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=200")
	s.cmd.SysProcAttr, s.cmd.Dir = as, s.dir
	if s.alive, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	return s.ready()
}

// ready waits until the server answers.
func (s *server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, "host="+s.dir+" user=postgres dbname=postgres")
		if err == nil {
			return c.Close(ctx)
		}
		if ctx.Err() != nil {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("postgres does not answer: %w\n%s", err, log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *server) stop() {
	if s.alive != nil {
		_ = s.alive.Close()
		_ = s.cmd.Wait()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// postgresBin is where initdb and postgres are: in the path, or where Debian has them.
func postgresBin() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		if found, err = filepath.EvalSymlinks(found); err == nil {
			return filepath.Dir(found), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("there is no Postgres: install Debian's package %s", strings.TrimSpace(debianPackages()))
	}
	return filepath.Dir(slices.Max(found)), nil
}

// debianPackages is what these tests need, as it is told to the CI.
func debianPackages() string {
	needs, err := os.ReadFile(".ci-packages")
	if err != nil {
		return err.Error()
	}
	return string(needs)
}

// notRoot gives a directory to a user under whom Postgres runs: it does not run as root.
func notRoot(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}
