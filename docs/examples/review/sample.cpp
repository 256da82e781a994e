// A program with mistakes, for the review to find. It is part of no build.
#include <cstdio>
#include <cstdlib>
#include <cstring>

struct account {
  int number;
  char* owner;
};

// A null dereference: the check comes after the use.
int owner_length(const account* who) {
  int length = static_cast<int>(std::strlen(who->owner));
  if (who == nullptr) {
    return 0;
  }
  return length;
}

// Dereferences null whenever there is no account.
int first_number(const account* all, int count) {
  const account* first = nullptr;
  if (count > 0) {
    first = all;
  }
  return first->number;
}

// Reads a variable that nothing has written when `fee` is negative.
int total(int amount, int fee) {
  int sum;
  if (fee >= 0) {
    sum = amount + fee;
  }
  return sum;
}

// Leaks the copy on one of two ways out.
int report(const char* owner) {
  char* copy = static_cast<char*>(std::malloc(64));
  if (copy == nullptr) {
    return -1;
  }
  std::strncpy(copy, owner, 63);
  if (copy[0] == '\0') {
    return 0;
  }
  std::puts(copy);
  std::free(copy);
  return 1;
}

// Frees twice.
void close_account(account* who) {
  std::free(who->owner);
  if (who->number == 0) {
    std::free(who->owner);
  }
  std::free(who);
}

// Uses what was freed.
int closed_number(account* who) {
  std::free(who);
  return who->number;
}

// Writes one element too many.
int sum_of_squares() {
  int squares[4];
  int sum = 0;
  for (int i = 0; i <= 4; ++i) {
    squares[i] = i * i;
    sum += squares[i];
  }
  return sum;
}

int divide_all(int amount) {
  int parts = 0;
  return amount / parts;
}
