package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// maxQueue is how many bytes wait for a slow reader before lines that can be lost are dropped.
	maxQueue = 1 << 20
	// maxKept is the same bound for the lines that say how a task ended.
	maxKept = 16 << 20
	// flushGrace is how long a command whose time is over waits for its reader.
	flushGrace = time.Second
)

// stream writes to w on a goroutine of its own, so that a reader that is slow or has stopped delays nobody else. Its
// queue is bounded. It is safe for concurrent use.
type stream struct {
	w io.Writer

	mu       sync.Mutex
	arrived  sync.Cond     // the queue is no longer empty, or closed was set
	progress chan struct{} // closed and replaced after each write
	queue    [][]byte
	size     int // bytes in the queue and in the write at hand
	dropped  int // lines that found no room
	stuck    bool
	closed   bool
	err      error // of the first write that failed
}

// newStream starts the goroutine. It ends with close, or with the process if w blocks for ever.
func newStream(w io.Writer) *stream {
	s := &stream{w: w, progress: make(chan struct{})}
	s.arrived.L = &s.mu
	go s.loop()
	return s
}

func (s *stream) loop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.queue) == 0 && !s.closed {
			s.arrived.Wait()
		}
		if len(s.queue) == 0 {
			return
		}
		line := s.queue[0]
		s.queue = s.queue[1:]
		if s.err == nil {
			s.mu.Unlock()
			err := write(s.w, line)
			s.mu.Lock()
			s.err = err
		}
		s.size -= len(line)
		s.stuck = false
		close(s.progress)
		s.progress = make(chan struct{})
	}
}

func write(w io.Writer, p []byte) error {
	n, err := w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

// offer queues a line, or drops it where there is no room. It never blocks.
func (s *stream) offer(line []byte, canBeLost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bound := maxKept
	if canBeLost {
		bound = maxQueue
	}
	if s.size > 0 && s.size+len(line) > bound {
		s.dropped++
		return
	}
	s.push(line)
}

func (s *stream) push(line []byte) {
	s.queue = append(s.queue, line)
	s.size += len(line)
	s.arrived.Signal()
}

// put queues a line, and waits for room as long as ctx lasts.
func (s *stream) put(ctx context.Context, line []byte) {
	s.mu.Lock()
	for s.size > 0 && s.size+len(line) > maxQueue {
		progress := s.progress
		s.mu.Unlock()
		select {
		case <-progress:
		case <-ctx.Done():
			s.mu.Lock()
			s.dropped++
			s.mu.Unlock()
			return
		}
		s.mu.Lock()
	}
	s.push(line)
	s.mu.Unlock()
}

// writer is an io.Writer that puts.
func (s *stream) writer(ctx context.Context) io.Writer { return putter{s, ctx} }

type putter struct {
	stream *stream
	ctx    context.Context
}

// Write puts a copy of p.
func (p putter) Write(b []byte) (int, error) {
	p.stream.put(p.ctx, append([]byte(nil), b...))
	return len(b), nil
}

// flush waits until everything is written: as long as ctx lasts, and then for as long as there is progress within
// flushGrace. Lines that are left are dropped.
func (s *stream) flush(ctx context.Context) {
	for {
		s.mu.Lock()
		progress, over := s.progress, s.size == 0 || s.stuck
		s.mu.Unlock()
		if over {
			return
		}
		select {
		case <-progress:
			continue
		case <-ctx.Done():
		}
		select {
		case <-progress:
		case <-time.After(flushGrace):
			s.giveUp()
		}
	}
}

// giveUp drops what is queued.
func (s *stream) giveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped += len(s.queue)
	for _, line := range s.queue {
		s.size -= len(line)
	}
	s.queue, s.stuck = nil, true
}

// close ends the goroutine once the queue is written. It does not wait for that.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.arrived.Signal()
}

// lost is how many lines were dropped.
func (s *stream) lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// failure is why output is missing, such as a full disk. A reader that has gone is no failure: "taskwait … | head -1".
func (s *stream) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil && !readerGone(s.err) {
		return fmt.Errorf("the output is not complete: %w", s.err)
	}
	return nil
}

func readerGone(err error) bool {
	const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232) // winerror.h
	windows := runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, noData))
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) || windows
}
