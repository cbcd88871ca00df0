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
;   33: blocks hidden
;   34: panels at once
;   35: step x
;   36: row x
;   37: base x
;   38: base reset
;   39: row reset
;   40: base start.h
;   41: row start.h
;   42: units at once 0
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
  %".109" = getelementptr i64, i64* %".1", i64 34
  %".110" = load i64, i64* %".109"
  %".137" = getelementptr i64, i64* %".1", i64 12
  %".138" = load i64, i64* %".137"
  %".139" = inttoptr i64 %".138" to i64*
  %".142" = getelementptr i64, i64* %".1", i64 8
  %".143" = load i64, i64* %".142"
  %".144" = inttoptr i64 %".143" to float*
  %".145" = getelementptr i64, i64* %".1", i64 6
  %".146" = load i64, i64* %".145"
  %".151" = getelementptr i64, i64* %".1", i64 35
  %".152" = load i64, i64* %".151"
  %".153" = getelementptr i64, i64* %".1", i64 36
  %".154" = load i64, i64* %".153"
  %".158" = getelementptr i64, i64* %".1", i64 37
  %".159" = load i64, i64* %".158"
  %".160" = inttoptr i64 %".159" to float*
  %".163" = getelementptr i64, i64* %".1", i64 7
  %".164" = load i64, i64* %".163"
  %".212" = getelementptr i64, i64* %".1", i64 38
  %".213" = load i64, i64* %".212"
  %".225" = getelementptr i64, i64* %".1", i64 39
  %".226" = load i64, i64* %".225"
  %".233" = getelementptr i64, i64* %".1", i64 2
  %".234" = load i64, i64* %".233"
  %".236" = getelementptr i64, i64* %".1", i64 3
  %".237" = load i64, i64* %".236"
  %".239" = getelementptr i64, i64* %".1", i64 1
  %".240" = load i64, i64* %".239"
  %".241" = inttoptr i64 %".240" to float*
  %".242" = getelementptr i64, i64* %".1", i64 11
  %".243" = load i64, i64* %".242"
  %".247" = getelementptr i64, i64* %".1", i64 40
  %".248" = load i64, i64* %".247"
  %".249" = inttoptr i64 %".248" to float*
  %".250" = getelementptr i64, i64* %".1", i64 41
  %".251" = load i64, i64* %".250"
  %".300" = getelementptr i64, i64* %".1", i64 42
  %".301" = load i64, i64* %".300"
  %".315" = getelementptr i64, i64* %".1", i64 10
  %".316" = load i64, i64* %".315"
  %".318" = getelementptr i64, i64* %".1", i64 9
  %".319" = load i64, i64* %".318"
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
  %".100" = phi  i64 [%".17", %"begin.endif.endif"], [%".358", %"behind.3"]
  %".101" = icmp slt i64 %".100", %".96"
  br i1 %".101", label %"inside", label %"behind"
inside:
  %".103" = add i64 %".100", %".98"
  %".104" = icmp slt i64 %".103", %".96"
  %".105" = select  i1 %".104", i64 %".103", i64 %".96"
  %".108" = mul i64 %".107", 1
  %".111" = ashr i64 %".108", 1
  %".112" = add i64 %".6", 1
  %".113" = mul i64 %".111", %".6"
  %".114" = sdiv i64 %".113", %".7"
  %".115" = shl i64 %".114", 1
  %".116" = mul i64 %".111", %".112"
  %".117" = sdiv i64 %".116", %".7"
  %".118" = shl i64 %".117", 1
  %".119" = ashr i64 %".115", 1
  %".120" = ashr i64 %".118", 1
  br label %"head.1"
behind:
  ret void
head.1:
  %".122" = phi  i64 [%".119", %"inside"], [%".172", %"behind.2"]
  %".123" = icmp slt i64 %".122", %".120"
  br i1 %".123", label %"inside.1", label %"behind.1"
inside.1:
  %".125" = add i64 %".122", %".110"
  %".126" = icmp slt i64 %".125", %".120"
  %".127" = select  i1 %".126", i64 %".125", i64 %".120"
  %".128" = sub i64 %".127", %".122"
  br label %"head.2"
behind.1:
  %".174" = icmp sgt i64 %".7", 1
  br i1 %".174", label %"behind.1.if", label %"behind.1.endif"
head.2:
  %".130" = phi  i64 [%".4", %"inside.1"], [%".170", %"inside.2"]
  %".131" = icmp slt i64 %".130", %".5"
  br i1 %".131", label %"inside.2", label %"behind.2"
inside.2:
  %".133" = getelementptr i64, i64* %".90", i64 %".130"
  %".134" = load i64, i64* %".133"
  %".135" = icmp slt i64 %".105", %".134"
  %".136" = select  i1 %".135", i64 %".105", i64 %".134"
  %".140" = getelementptr i64, i64* %".139", i64 %".130"
  %".141" = load i64, i64* %".140"
  %".147" = mul i64 %".130", %".146"
  %".148" = getelementptr float, float* %".144", i64 %".147"
  %".149" = mul i64 %".122", 16
  %".150" = getelementptr float, float* %".148", i64 %".149"
  %".155" = mul i64 %".141", %".154"
  %".156" = mul i64 %".100", %".152"
  %".157" = add i64 %".155", %".156"
  %".161" = getelementptr float, float* %".160", i64 %".157"
  %".162" = sub i64 %".136", %".100"
  %".165" = getelementptr float, float* %".40", i64 %".42"
  %".166" = mul i64 %".122", %".30"
  %".167" = mul i64 %".166", 16
  %".168" = getelementptr float, float* %".165", i64 %".167"
  call void @"unrolled_product_float32_8"(i64 %".162", i64 %".30", float* %".161", i64 %".152", float* %".168", i64 %".128", float* %".150", i64 %".164", i64 0)
  %".170" = add i64 %".130", 1
  br label %"head.2"
behind.2:
  %".172" = add i64 %".122", %".110"
  br label %"head.1"
behind.1.if:
  %".176" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".177" = sdiv i64 %".176", %".7"
  %".178" = add i64 %".177", 1
  %".179" = mul i64 %".178", %".7"
  br label %"look.1"
behind.1.endif:
  br label %"head.3"
look.1:
  %".181" = phi  i64 [0, %"behind.1.if"], [%".186", %"again.1.endif"]
  %".182" = load atomic i64, i64* %".64" acquire, align 8
  %".183" = icmp sge i64 %".182", %".179"
  br i1 %".183", label %"met.1", label %"again.1"
again.1:
  call void @"llvm.x86.sse2.pause"()
  %".186" = add i64 %".181", 1
  %".187" = and i64 %".186", 32767
  %".188" = icmp eq i64 %".187", 0
  br i1 %".188", label %"again.1.if", label %"again.1.endif"
met.1:
  br label %"behind.1.endif"
again.1.if:
  %".190" = getelementptr i64, i64* %".64", i64 1
  %".191" = atomicrmw add i64* %".190", i64 1 monotonic
  %".192" = call i32 @"sched_yield"()
  br label %"again.1.endif"
again.1.endif:
  br label %"look.1"
head.3:
  %".197" = phi  i64 [%".100", %"behind.1.endif"], [%".356", %"behind.7.endif"]
  %".198" = icmp slt i64 %".197", %".105"
  br i1 %".198", label %"inside.3", label %"behind.3"
inside.3:
  br label %"head.4"
behind.3:
  %".358" = add i64 %".100", %".98"
  br label %"head"
head.4:
  %".201" = phi  i64 [%".4", %"inside.3"], [%".210", %"inside.4"]
  %".202" = phi  i64 [%".4", %"inside.3"], [%".209", %"inside.4"]
  %".203" = icmp slt i64 %".201", %".5"
  br i1 %".203", label %"inside.4", label %"behind.4"
inside.4:
  %".205" = getelementptr i64, i64* %".90", i64 %".201"
  %".206" = load i64, i64* %".205"
  %".207" = icmp sgt i64 %".206", %".197"
  %".208" = zext i1 %".207" to i64
  %".209" = add i64 %".202", %".208"
  %".210" = add i64 %".201", 1
  br label %"head.4"
behind.4:
  %".214" = icmp ne i64 %".213", 0
  br i1 %".214", label %"behind.4.if", label %"behind.4.endif"
behind.4.if:
  %".216" = inttoptr i64 %".213" to i8*
  %".217" = icmp eq i64 %".6", 0
  br i1 %".217", label %"behind.4.if.if", label %"behind.4.if.endif"
behind.4.endif:
  %".291" = sub i64 %".197", %".100"
  %".292" = ashr i64 %".107", 1
  %".293" = add i64 %".6", 1
  %".294" = mul i64 %".292", %".6"
  %".295" = sdiv i64 %".294", %".7"
  %".296" = shl i64 %".295", 1
  %".297" = mul i64 %".292", %".293"
  %".298" = sdiv i64 %".297", %".7"
  %".299" = shl i64 %".298", 1
  br label %"head.7"
behind.4.if.if:
  br label %"head.5"
behind.4.if.endif:
  %".268" = icmp sgt i64 %".7", 1
  br i1 %".268", label %"behind.4.if.endif.if", label %"behind.4.if.endif.endif"
head.5:
  %".220" = phi  i64 [%".4", %"behind.4.if.if"], [%".265", %"inside.5.endif"]
  %".221" = icmp slt i64 %".220", %".202"
  br i1 %".221", label %"inside.5", label %"behind.5"
inside.5:
  %".223" = getelementptr i64, i64* %".139", i64 %".220"
  %".224" = load i64, i64* %".223"
  %".227" = mul i64 %".224", %".226"
  %".228" = add i64 %".227", %".197"
  %".229" = getelementptr i8, i8* %".216", i64 %".228"
  %".230" = load i8, i8* %".229"
  %".231" = icmp ne i8 %".230", 0
  br i1 %".231", label %"inside.5.if", label %"inside.5.endif"
behind.5:
  br label %"behind.4.if.endif"
inside.5.if:
  %".235" = and i64 %".197", %".234"
  %".238" = mul i64 %".235", %".237"
  %".244" = mul i64 %".220", %".243"
  %".245" = add i64 %".238", %".244"
  %".246" = getelementptr float, float* %".241", i64 %".245"
  %".252" = mul i64 %".224", %".251"
  %".253" = getelementptr float, float* %".249", i64 %".252"
  br label %"head.6"
inside.5.endif:
  %".265" = add i64 %".220", 1
  br label %"head.5"
head.6:
  %".255" = phi  i64 [0, %"inside.5.if"], [%".262", %"inside.6"]
  %".256" = icmp slt i64 %".255", %".28"
  br i1 %".256", label %"inside.6", label %"behind.6"
inside.6:
  %".258" = getelementptr float, float* %".246", i64 %".255"
  %".259" = getelementptr float, float* %".253", i64 %".255"
  %".260" = load float, float* %".259"
  store float %".260", float* %".258"
  %".262" = add i64 %".255", 1
  br label %"head.6"
behind.6:
  br label %"inside.5.endif"
behind.4.if.endif.if:
  %".270" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".271" = sdiv i64 %".270", %".7"
  %".272" = add i64 %".271", 1
  %".273" = mul i64 %".272", %".7"
  br label %"look.2"
behind.4.if.endif.endif:
  br label %"behind.4.endif"
look.2:
  %".275" = phi  i64 [0, %"behind.4.if.endif.if"], [%".280", %"again.2.endif"]
  %".276" = load atomic i64, i64* %".64" acquire, align 8
  %".277" = icmp sge i64 %".276", %".273"
  br i1 %".277", label %"met.2", label %"again.2"
again.2:
  call void @"llvm.x86.sse2.pause"()
  %".280" = add i64 %".275", 1
  %".281" = and i64 %".280", 32767
  %".282" = icmp eq i64 %".281", 0
  br i1 %".282", label %"again.2.if", label %"again.2.endif"
met.2:
  br label %"behind.4.if.endif.endif"
again.2.if:
  %".284" = getelementptr i64, i64* %".64", i64 1
  %".285" = atomicrmw add i64* %".284", i64 1 monotonic
  %".286" = call i32 @"sched_yield"()
  br label %"again.2.endif"
again.2.endif:
  br label %"look.2"
head.7:
  %".303" = phi  i64 [%".296", %"behind.4.endif"], [%".332", %"inside.7"]
  %".304" = icmp slt i64 %".303", %".299"
  br i1 %".304", label %"inside.7", label %"behind.7"
inside.7:
  %".306" = add i64 %".303", %".301"
  %".307" = icmp slt i64 %".306", %".299"
  %".308" = select  i1 %".307", i64 %".306", i64 %".299"
  %".309" = sub i64 %".308", %".303"
  %".310" = mul i64 %".309", 1
  %".311" = add i64 %".310", 1
  %".312" = sdiv i64 %".311", 2
  %".313" = mul i64 %".303", 1
  %".314" = sdiv i64 %".313", 2
  %".317" = getelementptr float, float* %".15", i64 %".316"
  %".320" = and i64 %".197", %".234"
  %".321" = mul i64 %".320", %".237"
  %".322" = getelementptr float, float* %".241", i64 %".321"
  %".323" = mul i64 %".4", %".243"
  %".324" = getelementptr float, float* %".322", i64 %".323"
  %".325" = sub i64 %".202", %".4"
  %".326" = getelementptr float, float* %".40", i64 %".57"
  %".327" = mul i64 %".314", %".28"
  %".328" = mul i64 %".327", 16
  %".329" = getelementptr float, float* %".326", i64 %".328"
  call void @"unrolled_product_float32_8"(i64 %".325", i64 %".28", float* %".324", i64 %".243", float* %".329", i64 %".312", float* %".317", i64 %".319", i64 0)
  call void @"forward_stage0"(i64* %".1", i64 %".197", i64 %".291", i64 %".4", i64 %".202", i64 %".303", i64 %".308", float* %".15")
  %".332" = add i64 %".303", %".301"
  br label %"head.7"
behind.7:
  %".334" = icmp sgt i64 %".7", 1
  br i1 %".334", label %"behind.7.if", label %"behind.7.endif"
behind.7.if:
  %".336" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".337" = sdiv i64 %".336", %".7"
  %".338" = add i64 %".337", 1
  %".339" = mul i64 %".338", %".7"
  br label %"look.3"
behind.7.endif:
  %".356" = add i64 %".197", 1
  br label %"head.3"
look.3:
  %".341" = phi  i64 [0, %"behind.7.if"], [%".346", %"again.3.endif"]
  %".342" = load atomic i64, i64* %".64" acquire, align 8
  %".343" = icmp sge i64 %".342", %".339"
  br i1 %".343", label %"met.3", label %"again.3"
again.3:
  call void @"llvm.x86.sse2.pause"()
  %".346" = add i64 %".341", 1
  %".347" = and i64 %".346", 32767
  %".348" = icmp eq i64 %".347", 0
  br i1 %".348", label %"again.3.if", label %"again.3.endif"
met.3:
  br label %"behind.7.endif"
again.3.if:
  %".350" = getelementptr i64, i64* %".64", i64 1
  %".351" = atomicrmw add i64* %".350", i64 1 monotonic
  %".352" = call i32 @"sched_yield"()
  br label %"again.3.endif"
again.3.endif:
  br label %"look.3"
}

declare void @"unrolled_pack_float32_8"(i64 %".1", i64 %".2", float* %".3", i64 %".4", i64 %".5", float* %".6", i64 %".7", i64 %".8", float %".9")

declare void @"llvm.x86.sse2.pause"()

declare i32 @"sched_yield"()

declare void @"unrolled_product_float32_8"(i64 %".1", i64 %".2", float* %".3", i64 %".4", float* %".5", i64 %".6", float* %".7", i64 %".8", i64 %".9")
