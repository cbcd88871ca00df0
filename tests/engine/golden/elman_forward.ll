; forward pass of elman, vectors of 8 float32
; cell elman
; source Elman 1990, Finding structure in time, Cognitive Science 14
; output h
;
; h' = tanh(W @ x + U @ h + b)
;
; numbers in the table:
;   0: base b
;   1: base entry.h
;   2: mask entry.h
;   3: step entry.h
;   4: base out.h'
;   5: step out.h'
;   6: row hoisted_0
;   7: step hoisted_0
;   8: base hoisted_0
;   9: row stage0_0
;   10: local stage0_0
;   11: row entry.h
;   12: base rows
;   13: row out.h'
;   14: base local
;   15: local size
;   16: first step
;   17: end of steps
;   18: packed
;   19: units hidden
;   20: units input
;   21: base W
;   22: unit step W
;   23: depth step W
;   24: base weights
;   25: weights hoisted_0 0
;   26: base U
;   27: unit step U
;   28: depth step U
;   29: weights stage0_0 0
;   30: base barrier
;   31: base lengths
;   32: chunk
;   33: base before
;   34: blocks hidden
;   35: panels at once
;   36: step x
;   37: row x
;   38: base x
;   39: base reset
;   40: row reset
;   41: base start.h
;   42: row start.h
;   43: units at once 0
;   44: base done
; ModuleID = "unrolled_forward"
target triple = "x86_64-unknown-linux-gnu"
target datalayout = ""

define internal void @"forward_stage0"(i64* %".1", i64 %".2", i64 %".3", i64 %".4", i64 %".5", i64 %".6", i64 %".7", float* %".8") noinline
{
entry:
  %".15" = getelementptr i64, i64* %".1", i64 0
  %".16" = load i64, i64* %".15"
  %".17" = inttoptr i64 %".16" to float*
  %".21" = getelementptr i64, i64* %".1", i64 1
  %".22" = load i64, i64* %".21"
  %".23" = inttoptr i64 %".22" to float*
  %".25" = getelementptr i64, i64* %".1", i64 2
  %".26" = load i64, i64* %".25"
  %".28" = getelementptr i64, i64* %".1", i64 3
  %".29" = load i64, i64* %".28"
  %".33" = getelementptr i64, i64* %".1", i64 4
  %".34" = load i64, i64* %".33"
  %".35" = inttoptr i64 %".34" to float*
  %".36" = getelementptr i64, i64* %".1", i64 5
  %".37" = load i64, i64* %".36"
  %".46" = getelementptr i64, i64* %".1", i64 6
  %".47" = load i64, i64* %".46"
  %".49" = getelementptr i64, i64* %".1", i64 7
  %".50" = load i64, i64* %".49"
  %".57" = getelementptr i64, i64* %".1", i64 8
  %".58" = load i64, i64* %".57"
  %".59" = inttoptr i64 %".58" to float*
  %".64" = getelementptr i64, i64* %".1", i64 9
  %".65" = load i64, i64* %".64"
  %".71" = getelementptr i64, i64* %".1", i64 10
  %".72" = load i64, i64* %".71"
  %".101" = getelementptr i64, i64* %".1", i64 11
  %".102" = load i64, i64* %".101"
  %".107" = getelementptr i64, i64* %".1", i64 12
  %".108" = load i64, i64* %".107"
  %".109" = inttoptr i64 %".108" to i64*
  %".112" = getelementptr i64, i64* %".1", i64 13
  %".113" = load i64, i64* %".112"
  br label %"begin"
begin:
  br label %"head"
head:
  %".11" = phi  i64 [%".6", %"begin"], [%".120", %"behind.1"]
  %".12" = icmp slt i64 %".11", %".7"
  br i1 %".12", label %"inside", label %"behind"
inside:
  %".14" = mul i64 %".11", 8
  %".18" = getelementptr float, float* %".17", i64 %".14"
  %".19" = bitcast float* %".18" to <8 x float>*
  %".20" = load <8 x float>, <8 x float>* %".19", align 4
  %".24" = add i64 %".2", 1
  %".27" = and i64 %".24", %".26"
  %".30" = mul i64 %".27", %".29"
  %".31" = getelementptr float, float* %".23", i64 %".30"
  %".32" = getelementptr float, float* %".31", i64 %".14"
  %".38" = mul i64 %".2", %".37"
  %".39" = getelementptr float, float* %".35", i64 %".38"
  %".40" = getelementptr float, float* %".39", i64 %".14"
  br label %"head.1"
behind:
  ret void
head.1:
  %".42" = phi  i64 [%".4", %"inside"], [%".118", %"inside.1"]
  %".43" = icmp slt i64 %".42", %".5"
  br i1 %".43", label %"inside.1", label %"behind.1"
inside.1:
  ; _h4 = hoisted._h4 + product._h4 + b
  %".48" = mul i64 %".42", %".47"
  %".51" = mul i64 %".3", %".50"
  %".52" = mul i64 %".11", 1
  %".53" = add i64 %".52", 0
  %".54" = mul i64 %".53", 8
  %".55" = add i64 %".48", %".51"
  %".56" = add i64 %".55", %".54"
  %".60" = getelementptr float, float* %".59", i64 %".56"
  %".61" = bitcast float* %".60" to <8 x float>*
  %".62" = load <8 x float>, <8 x float>* %".61", align 4
  %".63" = sub i64 %".42", %".4"
  %".66" = mul i64 %".63", %".65"
  %".67" = sub i64 %".11", %".6"
  %".68" = mul i64 %".67", 1
  %".69" = add i64 %".68", 0
  %".70" = mul i64 %".69", 8
  %".73" = add i64 %".72", %".66"
  %".74" = add i64 %".73", %".70"
  %".75" = getelementptr float, float* %".8", i64 %".74"
  %".76" = bitcast float* %".75" to <8 x float>*
  %".77" = load <8 x float>, <8 x float>* %".76", align 4
  %".78" = fadd <8 x float> %".62", %".77"
  %".79" = fadd <8 x float> %".78", %".20"
  ; h' = tanh(_h4)
  %".81" = call <8 x float> @"llvm.fabs.v8f32"(<8 x float> %".79")
  %".82" = fcmp olt <8 x float> <float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000>, %".81"
  %".83" = select  <8 x i1> %".82", <8 x float> <float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000>, <8 x float> %".81"
  %".84" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".83", <8 x float> <float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000>, <8 x float> <float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000>)
  %".85" = fsub <8 x float> %".84", <float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000>
  %".86" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".85", <8 x float> <float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000>, <8 x float> %".83")
  %".87" = fmul <8 x float> %".86", %".86"
  %".88" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> <float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000>, <8 x float> %".86", <8 x float> <float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000>)
  %".89" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".88", <8 x float> %".86", <8 x float> <float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000>)
  %".90" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".89", <8 x float> %".86", <8 x float> <float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000>)
  %".91" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".90", <8 x float> %".86", <8 x float> <float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000>)
  %".92" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".87", <8 x float> %".91", <8 x float> %".86")
  %".93" = bitcast <8 x float> %".84" to <8 x i32>
  %".94" = shl <8 x i32> %".93", <i32 23, i32 23, i32 23, i32 23, i32 23, i32 23, i32 23, i32 23>
  %".95" = bitcast <8 x i32> %".94" to <8 x float>
  %".96" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".95", <8 x float> <float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000>, <8 x float> <float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000>)
  %".97" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".95", <8 x float> %".92", <8 x float> %".96")
  %".98" = fadd <8 x float> %".97", <float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000>
  %".99" = fdiv <8 x float> %".97", %".98"
  %".100" = call <8 x float> @"llvm.copysign.v8f32"(<8 x float> %".99", <8 x float> %".79")
  %".103" = mul i64 %".42", %".102"
  %".104" = getelementptr float, float* %".32", i64 %".103"
  %".105" = bitcast float* %".104" to <8 x float>*
  store <8 x float> %".100", <8 x float>* %".105", align 4
  %".110" = getelementptr i64, i64* %".109", i64 %".42"
  %".111" = load i64, i64* %".110"
  %".114" = mul i64 %".111", %".113"
  %".115" = getelementptr float, float* %".40", i64 %".114"
  %".116" = bitcast float* %".115" to <8 x float>*
  store <8 x float> %".100", <8 x float>* %".116", align 4
  %".118" = add i64 %".42", 1
  br label %"head.1"
behind.1:
  %".120" = add i64 %".11", 1
  br label %"head"
}

declare <8 x float> @"llvm.fabs.v8f32"(<8 x float> %".1")

declare <8 x float> @"llvm.fma.v8f32"(<8 x float> %".1", <8 x float> %".2", <8 x float> %".3")

declare <8 x float> @"llvm.copysign.v8f32"(<8 x float> %".1", <8 x float> %".2")

define void @"forward_run"(i64* %".1", i64 %".2", i64 %".3", i64 %".4", i64 %".5", i64 %".6", i64 %".7")
{
entry:
  %".9" = getelementptr i64, i64* %".1", i64 14
  %".10" = load i64, i64* %".9"
  %".11" = inttoptr i64 %".10" to float*
  %".12" = getelementptr i64, i64* %".1", i64 15
  %".13" = load i64, i64* %".12"
  %".16" = getelementptr i64, i64* %".1", i64 16
  %".17" = load i64, i64* %".16"
  %".18" = getelementptr i64, i64* %".1", i64 17
  %".19" = load i64, i64* %".18"
  %".20" = getelementptr i64, i64* %".1", i64 18
  %".21" = load i64, i64* %".20"
  %".27" = getelementptr i64, i64* %".1", i64 19
  %".28" = load i64, i64* %".27"
  %".29" = getelementptr i64, i64* %".1", i64 20
  %".30" = load i64, i64* %".29"
  %".31" = getelementptr i64, i64* %".1", i64 21
  %".32" = load i64, i64* %".31"
  %".33" = inttoptr i64 %".32" to float*
  %".34" = getelementptr i64, i64* %".1", i64 22
  %".35" = load i64, i64* %".34"
  %".36" = getelementptr i64, i64* %".1", i64 23
  %".37" = load i64, i64* %".36"
  %".38" = getelementptr i64, i64* %".1", i64 24
  %".39" = load i64, i64* %".38"
  %".40" = inttoptr i64 %".39" to float*
  %".41" = getelementptr i64, i64* %".1", i64 25
  %".42" = load i64, i64* %".41"
  %".49" = getelementptr i64, i64* %".1", i64 26
  %".50" = load i64, i64* %".49"
  %".51" = inttoptr i64 %".50" to float*
  %".52" = getelementptr i64, i64* %".1", i64 27
  %".53" = load i64, i64* %".52"
  %".54" = getelementptr i64, i64* %".1", i64 28
  %".55" = load i64, i64* %".54"
  %".56" = getelementptr i64, i64* %".1", i64 29
  %".57" = load i64, i64* %".56"
  %".62" = getelementptr i64, i64* %".1", i64 30
  %".63" = load i64, i64* %".62"
  %".64" = inttoptr i64 %".63" to i64*
  %".88" = getelementptr i64, i64* %".1", i64 31
  %".89" = load i64, i64* %".88"
  %".90" = inttoptr i64 %".89" to i64*
  %".97" = getelementptr i64, i64* %".1", i64 32
  %".98" = load i64, i64* %".97"
  %".106" = getelementptr i64, i64* %".1", i64 33
  %".107" = load i64, i64* %".106"
  %".110" = inttoptr i64 %".107" to i64*
  %".127" = getelementptr i64, i64* %".1", i64 34
  %".128" = load i64, i64* %".127"
  %".130" = getelementptr i64, i64* %".1", i64 35
  %".131" = load i64, i64* %".130"
  %".158" = getelementptr i64, i64* %".1", i64 12
  %".159" = load i64, i64* %".158"
  %".160" = inttoptr i64 %".159" to i64*
  %".163" = getelementptr i64, i64* %".1", i64 8
  %".164" = load i64, i64* %".163"
  %".165" = inttoptr i64 %".164" to float*
  %".166" = getelementptr i64, i64* %".1", i64 6
  %".167" = load i64, i64* %".166"
  %".172" = getelementptr i64, i64* %".1", i64 36
  %".173" = load i64, i64* %".172"
  %".174" = getelementptr i64, i64* %".1", i64 37
  %".175" = load i64, i64* %".174"
  %".179" = getelementptr i64, i64* %".1", i64 38
  %".180" = load i64, i64* %".179"
  %".181" = inttoptr i64 %".180" to float*
  %".184" = getelementptr i64, i64* %".1", i64 7
  %".185" = load i64, i64* %".184"
  %".233" = getelementptr i64, i64* %".1", i64 39
  %".234" = load i64, i64* %".233"
  %".246" = getelementptr i64, i64* %".1", i64 40
  %".247" = load i64, i64* %".246"
  %".254" = getelementptr i64, i64* %".1", i64 2
  %".255" = load i64, i64* %".254"
  %".257" = getelementptr i64, i64* %".1", i64 3
  %".258" = load i64, i64* %".257"
  %".260" = getelementptr i64, i64* %".1", i64 1
  %".261" = load i64, i64* %".260"
  %".262" = inttoptr i64 %".261" to float*
  %".263" = getelementptr i64, i64* %".1", i64 11
  %".264" = load i64, i64* %".263"
  %".268" = getelementptr i64, i64* %".1", i64 41
  %".269" = load i64, i64* %".268"
  %".270" = inttoptr i64 %".269" to float*
  %".271" = getelementptr i64, i64* %".1", i64 42
  %".272" = load i64, i64* %".271"
  %".321" = getelementptr i64, i64* %".1", i64 43
  %".322" = load i64, i64* %".321"
  %".336" = getelementptr i64, i64* %".1", i64 10
  %".337" = load i64, i64* %".336"
  %".339" = getelementptr i64, i64* %".1", i64 9
  %".340" = load i64, i64* %".339"
  %".379" = getelementptr i64, i64* %".1", i64 44
  %".380" = load i64, i64* %".379"
  %".383" = inttoptr i64 %".380" to i64*
  br label %"begin"
begin:
  %".14" = mul i64 %".2", %".13"
  %".15" = getelementptr float, float* %".11", i64 %".14"
  %".22" = icmp eq i64 %".21", 0
  br i1 %".22", label %"begin.if", label %"begin.endif"
begin.if:
  %".24" = srem i64 0, %".3"
  %".25" = icmp eq i64 %".24", %".2"
  br i1 %".25", label %"begin.if.if", label %"begin.if.endif"
begin.endif:
  %".65" = icmp sgt i64 %".3", 1
  br i1 %".65", label %"begin.endif.if", label %"begin.endif.endif"
begin.if.if:
  %".43" = getelementptr float, float* %".40", i64 %".42"
  call void @"unrolled_pack_float32_8"(i64 %".28", i64 %".30", float* %".33", i64 %".35", i64 %".37", float* %".43", i64 1, i64 0, float 0x3ff0000000000000)
  br label %"begin.if.endif"
begin.if.endif:
  %".46" = srem i64 1, %".3"
  %".47" = icmp eq i64 %".46", %".2"
  br i1 %".47", label %"begin.if.endif.if", label %"begin.if.endif.endif"
begin.if.endif.if:
  %".58" = getelementptr float, float* %".40", i64 %".57"
  call void @"unrolled_pack_float32_8"(i64 %".28", i64 %".28", float* %".51", i64 %".53", i64 %".55", float* %".58", i64 1, i64 0, float 0x3ff0000000000000)
  br label %"begin.if.endif.endif"
begin.if.endif.endif:
  br label %"begin.endif"
begin.endif.if:
  %".67" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".68" = sdiv i64 %".67", %".3"
  %".69" = add i64 %".68", 1
  %".70" = mul i64 %".69", %".3"
  br label %"look"
begin.endif.endif:
  %".87" = icmp slt i64 %".4", %".5"
  %".91" = select  i1 %".87", i64 %".4", i64 0
  %".92" = getelementptr i64, i64* %".90", i64 %".91"
  %".93" = load i64, i64* %".92"
  %".94" = select  i1 %".87", i64 %".93", i64 0
  %".95" = icmp slt i64 %".19", %".94"
  %".96" = select  i1 %".95", i64 %".19", i64 %".94"
  br label %"head"
look:
  %".72" = phi  i64 [0, %"begin.endif.if"], [%".77", %"again.endif"]
  %".73" = load atomic i64, i64* %".64" acquire, align 8
  %".74" = icmp sge i64 %".73", %".70"
  br i1 %".74", label %"met", label %"again"
again:
  call void @"llvm.x86.sse2.pause"()
  %".77" = add i64 %".72", 1
  %".78" = and i64 %".77", 32767
  %".79" = icmp eq i64 %".78", 0
  br i1 %".79", label %"again.if", label %"again.endif"
met:
  br label %"begin.endif.endif"
again.if:
  %".81" = getelementptr i64, i64* %".64", i64 1
  %".82" = atomicrmw add i64* %".81", i64 1 monotonic
  %".83" = call i32 @"sched_yield"()
  br label %"again.endif"
again.endif:
  br label %"look"
head:
  %".100" = phi  i64 [%".17", %"begin.endif.endif"], [%".386", %"behind.3.endif"]
  %".101" = icmp slt i64 %".100", %".96"
  br i1 %".101", label %"inside", label %"behind"
inside:
  %".103" = add i64 %".100", %".98"
  %".104" = icmp slt i64 %".103", %".96"
  %".105" = select  i1 %".104", i64 %".103", i64 %".96"
  %".108" = icmp ne i64 %".107", 0
  br i1 %".108", label %"inside.if", label %"inside.endif"
behind:
  ret void
inside.if:
  br label %"look.1"
inside.endif:
  %".129" = mul i64 %".128", 1
  %".132" = ashr i64 %".129", 1
  %".133" = add i64 %".6", 1
  %".134" = mul i64 %".132", %".6"
  %".135" = sdiv i64 %".134", %".7"
  %".136" = shl i64 %".135", 1
  %".137" = mul i64 %".132", %".133"
  %".138" = sdiv i64 %".137", %".7"
  %".139" = shl i64 %".138", 1
  %".140" = ashr i64 %".136", 1
  %".141" = ashr i64 %".139", 1
  br label %"head.1"
look.1:
  %".112" = phi  i64 [0, %"inside.if"], [%".117", %"again.1.endif"]
  %".113" = load atomic i64, i64* %".110" acquire, align 8
  %".114" = icmp sge i64 %".113", %".105"
  br i1 %".114", label %"met.1", label %"again.1"
again.1:
  call void @"llvm.x86.sse2.pause"()
  %".117" = add i64 %".112", 1
  %".118" = and i64 %".117", 32767
  %".119" = icmp eq i64 %".118", 0
  br i1 %".119", label %"again.1.if", label %"again.1.endif"
met.1:
  br label %"inside.endif"
again.1.if:
  %".121" = getelementptr i64, i64* %".110", i64 1
  %".122" = atomicrmw add i64* %".121", i64 1 monotonic
  %".123" = call i32 @"sched_yield"()
  br label %"again.1.endif"
again.1.endif:
  br label %"look.1"
head.1:
  %".143" = phi  i64 [%".140", %"inside.endif"], [%".193", %"behind.2"]
  %".144" = icmp slt i64 %".143", %".141"
  br i1 %".144", label %"inside.1", label %"behind.1"
inside.1:
  %".146" = add i64 %".143", %".131"
  %".147" = icmp slt i64 %".146", %".141"
  %".148" = select  i1 %".147", i64 %".146", i64 %".141"
  %".149" = sub i64 %".148", %".143"
  br label %"head.2"
behind.1:
  %".195" = icmp sgt i64 %".7", 1
  br i1 %".195", label %"behind.1.if", label %"behind.1.endif"
head.2:
  %".151" = phi  i64 [%".4", %"inside.1"], [%".191", %"inside.2"]
  %".152" = icmp slt i64 %".151", %".5"
  br i1 %".152", label %"inside.2", label %"behind.2"
inside.2:
  %".154" = getelementptr i64, i64* %".90", i64 %".151"
  %".155" = load i64, i64* %".154"
  %".156" = icmp slt i64 %".105", %".155"
  %".157" = select  i1 %".156", i64 %".105", i64 %".155"
  %".161" = getelementptr i64, i64* %".160", i64 %".151"
  %".162" = load i64, i64* %".161"
  %".168" = mul i64 %".151", %".167"
  %".169" = getelementptr float, float* %".165", i64 %".168"
  %".170" = mul i64 %".143", 16
  %".171" = getelementptr float, float* %".169", i64 %".170"
  %".176" = mul i64 %".162", %".175"
  %".177" = mul i64 %".100", %".173"
  %".178" = add i64 %".176", %".177"
  %".182" = getelementptr float, float* %".181", i64 %".178"
  %".183" = sub i64 %".157", %".100"
  %".186" = getelementptr float, float* %".40", i64 %".42"
  %".187" = mul i64 %".143", %".30"
  %".188" = mul i64 %".187", 16
  %".189" = getelementptr float, float* %".186", i64 %".188"
  call void @"unrolled_product_float32_8"(i64 %".183", i64 %".30", float* %".182", i64 %".173", float* %".189", i64 %".149", float* %".171", i64 %".185", i64 0)
  %".191" = add i64 %".151", 1
  br label %"head.2"
behind.2:
  %".193" = add i64 %".143", %".131"
  br label %"head.1"
behind.1.if:
  %".197" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".198" = sdiv i64 %".197", %".7"
  %".199" = add i64 %".198", 1
  %".200" = mul i64 %".199", %".7"
  br label %"look.2"
behind.1.endif:
  br label %"head.3"
look.2:
  %".202" = phi  i64 [0, %"behind.1.if"], [%".207", %"again.2.endif"]
  %".203" = load atomic i64, i64* %".64" acquire, align 8
  %".204" = icmp sge i64 %".203", %".200"
  br i1 %".204", label %"met.2", label %"again.2"
again.2:
  call void @"llvm.x86.sse2.pause"()
  %".207" = add i64 %".202", 1
  %".208" = and i64 %".207", 32767
  %".209" = icmp eq i64 %".208", 0
  br i1 %".209", label %"again.2.if", label %"again.2.endif"
met.2:
  br label %"behind.1.endif"
again.2.if:
  %".211" = getelementptr i64, i64* %".64", i64 1
  %".212" = atomicrmw add i64* %".211", i64 1 monotonic
  %".213" = call i32 @"sched_yield"()
  br label %"again.2.endif"
again.2.endif:
  br label %"look.2"
head.3:
  %".218" = phi  i64 [%".100", %"behind.1.endif"], [%".377", %"behind.7.endif"]
  %".219" = icmp slt i64 %".218", %".105"
  br i1 %".219", label %"inside.3", label %"behind.3"
inside.3:
  br label %"head.4"
behind.3:
  %".381" = icmp ne i64 %".380", 0
  br i1 %".381", label %"behind.3.if", label %"behind.3.endif"
head.4:
  %".222" = phi  i64 [%".4", %"inside.3"], [%".231", %"inside.4"]
  %".223" = phi  i64 [%".4", %"inside.3"], [%".230", %"inside.4"]
  %".224" = icmp slt i64 %".222", %".5"
  br i1 %".224", label %"inside.4", label %"behind.4"
inside.4:
  %".226" = getelementptr i64, i64* %".90", i64 %".222"
  %".227" = load i64, i64* %".226"
  %".228" = icmp sgt i64 %".227", %".218"
  %".229" = zext i1 %".228" to i64
  %".230" = add i64 %".223", %".229"
  %".231" = add i64 %".222", 1
  br label %"head.4"
behind.4:
  %".235" = icmp ne i64 %".234", 0
  br i1 %".235", label %"behind.4.if", label %"behind.4.endif"
behind.4.if:
  %".237" = inttoptr i64 %".234" to i8*
  %".238" = icmp eq i64 %".6", 0
  br i1 %".238", label %"behind.4.if.if", label %"behind.4.if.endif"
behind.4.endif:
  %".312" = sub i64 %".218", %".100"
  %".313" = ashr i64 %".128", 1
  %".314" = add i64 %".6", 1
  %".315" = mul i64 %".313", %".6"
  %".316" = sdiv i64 %".315", %".7"
  %".317" = shl i64 %".316", 1
  %".318" = mul i64 %".313", %".314"
  %".319" = sdiv i64 %".318", %".7"
  %".320" = shl i64 %".319", 1
  br label %"head.7"
behind.4.if.if:
  br label %"head.5"
behind.4.if.endif:
  %".289" = icmp sgt i64 %".7", 1
  br i1 %".289", label %"behind.4.if.endif.if", label %"behind.4.if.endif.endif"
head.5:
  %".241" = phi  i64 [%".4", %"behind.4.if.if"], [%".286", %"inside.5.endif"]
  %".242" = icmp slt i64 %".241", %".223"
  br i1 %".242", label %"inside.5", label %"behind.5"
inside.5:
  %".244" = getelementptr i64, i64* %".160", i64 %".241"
  %".245" = load i64, i64* %".244"
  %".248" = mul i64 %".245", %".247"
  %".249" = add i64 %".248", %".218"
  %".250" = getelementptr i8, i8* %".237", i64 %".249"
  %".251" = load i8, i8* %".250"
  %".252" = icmp ne i8 %".251", 0
  br i1 %".252", label %"inside.5.if", label %"inside.5.endif"
behind.5:
  br label %"behind.4.if.endif"
inside.5.if:
  %".256" = and i64 %".218", %".255"
  %".259" = mul i64 %".256", %".258"
  %".265" = mul i64 %".241", %".264"
  %".266" = add i64 %".259", %".265"
  %".267" = getelementptr float, float* %".262", i64 %".266"
  %".273" = mul i64 %".245", %".272"
  %".274" = getelementptr float, float* %".270", i64 %".273"
  br label %"head.6"
inside.5.endif:
  %".286" = add i64 %".241", 1
  br label %"head.5"
head.6:
  %".276" = phi  i64 [0, %"inside.5.if"], [%".283", %"inside.6"]
  %".277" = icmp slt i64 %".276", %".28"
  br i1 %".277", label %"inside.6", label %"behind.6"
inside.6:
  %".279" = getelementptr float, float* %".267", i64 %".276"
  %".280" = getelementptr float, float* %".274", i64 %".276"
  %".281" = load float, float* %".280"
  store float %".281", float* %".279"
  %".283" = add i64 %".276", 1
  br label %"head.6"
behind.6:
  br label %"inside.5.endif"
behind.4.if.endif.if:
  %".291" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".292" = sdiv i64 %".291", %".7"
  %".293" = add i64 %".292", 1
  %".294" = mul i64 %".293", %".7"
  br label %"look.3"
behind.4.if.endif.endif:
  br label %"behind.4.endif"
look.3:
  %".296" = phi  i64 [0, %"behind.4.if.endif.if"], [%".301", %"again.3.endif"]
  %".297" = load atomic i64, i64* %".64" acquire, align 8
  %".298" = icmp sge i64 %".297", %".294"
  br i1 %".298", label %"met.3", label %"again.3"
again.3:
  call void @"llvm.x86.sse2.pause"()
  %".301" = add i64 %".296", 1
  %".302" = and i64 %".301", 32767
  %".303" = icmp eq i64 %".302", 0
  br i1 %".303", label %"again.3.if", label %"again.3.endif"
met.3:
  br label %"behind.4.if.endif.endif"
again.3.if:
  %".305" = getelementptr i64, i64* %".64", i64 1
  %".306" = atomicrmw add i64* %".305", i64 1 monotonic
  %".307" = call i32 @"sched_yield"()
  br label %"again.3.endif"
again.3.endif:
  br label %"look.3"
head.7:
  %".324" = phi  i64 [%".317", %"behind.4.endif"], [%".353", %"inside.7"]
  %".325" = icmp slt i64 %".324", %".320"
  br i1 %".325", label %"inside.7", label %"behind.7"
inside.7:
  %".327" = add i64 %".324", %".322"
  %".328" = icmp slt i64 %".327", %".320"
  %".329" = select  i1 %".328", i64 %".327", i64 %".320"
  %".330" = sub i64 %".329", %".324"
  %".331" = mul i64 %".330", 1
  %".332" = add i64 %".331", 1
  %".333" = sdiv i64 %".332", 2
  %".334" = mul i64 %".324", 1
  %".335" = sdiv i64 %".334", 2
  %".338" = getelementptr float, float* %".15", i64 %".337"
  %".341" = and i64 %".218", %".255"
  %".342" = mul i64 %".341", %".258"
  %".343" = getelementptr float, float* %".262", i64 %".342"
  %".344" = mul i64 %".4", %".264"
  %".345" = getelementptr float, float* %".343", i64 %".344"
  %".346" = sub i64 %".223", %".4"
  %".347" = getelementptr float, float* %".40", i64 %".57"
  %".348" = mul i64 %".335", %".28"
  %".349" = mul i64 %".348", 16
  %".350" = getelementptr float, float* %".347", i64 %".349"
  call void @"unrolled_product_float32_8"(i64 %".346", i64 %".28", float* %".345", i64 %".264", float* %".350", i64 %".333", float* %".338", i64 %".340", i64 0)
  call void @"forward_stage0"(i64* %".1", i64 %".218", i64 %".312", i64 %".4", i64 %".223", i64 %".324", i64 %".329", float* %".15")
  %".353" = add i64 %".324", %".322"
  br label %"head.7"
behind.7:
  %".355" = icmp sgt i64 %".7", 1
  br i1 %".355", label %"behind.7.if", label %"behind.7.endif"
behind.7.if:
  %".357" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".358" = sdiv i64 %".357", %".7"
  %".359" = add i64 %".358", 1
  %".360" = mul i64 %".359", %".7"
  br label %"look.4"
behind.7.endif:
  %".377" = add i64 %".218", 1
  br label %"head.3"
look.4:
  %".362" = phi  i64 [0, %"behind.7.if"], [%".367", %"again.4.endif"]
  %".363" = load atomic i64, i64* %".64" acquire, align 8
  %".364" = icmp sge i64 %".363", %".360"
  br i1 %".364", label %"met.4", label %"again.4"
again.4:
  call void @"llvm.x86.sse2.pause"()
  %".367" = add i64 %".362", 1
  %".368" = and i64 %".367", 32767
  %".369" = icmp eq i64 %".368", 0
  br i1 %".369", label %"again.4.if", label %"again.4.endif"
met.4:
  br label %"behind.7.endif"
again.4.if:
  %".371" = getelementptr i64, i64* %".64", i64 1
  %".372" = atomicrmw add i64* %".371", i64 1 monotonic
  %".373" = call i32 @"sched_yield"()
  br label %"again.4.endif"
again.4.endif:
  br label %"look.4"
behind.3.if:
  store atomic i64 %".105", i64* %".383" release, align 8
  br label %"behind.3.endif"
behind.3.endif:
  %".386" = add i64 %".100", %".98"
  br label %"head"
}

declare void @"unrolled_pack_float32_8"(i64 %".1", i64 %".2", float* %".3", i64 %".4", i64 %".5", float* %".6", i64 %".7", i64 %".8", float %".9")

declare void @"llvm.x86.sse2.pause"()

declare i32 @"sched_yield"()

declare void @"unrolled_product_float32_8"(i64 %".1", i64 %".2", float* %".3", i64 %".4", float* %".5", i64 %".6", float* %".7", i64 %".8", i64 %".9")
